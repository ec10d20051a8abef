"""`llmeval samples`: what was asked, answered, expected and scored."""

from __future__ import annotations

import itertools
from pathlib import Path

import click

from llmeval_core.api import existing_journal, sample_json
from llmeval_core.api.sample_selection import choose, find_samples
from llmeval_core.cli.console import echo, echo_block, echo_error, echo_json, is_output_closed
from llmeval_core.cli.journal_names import complete_from_results, key_argument
from llmeval_core.cli.sample_view import result_parts
from llmeval_core.cli.session import home_option
from llmeval_core.reasoning import ReasoningFinder
from llmeval_core.records import OUTCOMES, Outcome, SampleResult


@click.command()
@key_argument
@click.option(
    "-m",
    "--model",
    metavar="PROVIDER/MODEL",
    help="Whose samples; needed only if several models have them.",
    shell_complete=complete_from_results(lambda result: [result.model]),
)
@click.option("--failed", is_flag=True, help="Only samples that failed.")
@click.option(
    "--wrong",
    is_flag=True,
    help="Only samples with a bad score: not perfect if KEY names a metric, otherwise 0 from any"
    " metric.",
)
@click.option(
    "--outcome",
    "outcomes",
    type=click.Choice(OUTCOMES),
    multiple=True,
    help="Only samples that ended so; may be repeated. With --wrong, those of them that are wrong.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    default=10,
    show_default=True,
    help="Show N samples; 0 for all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each sample.")
@home_option
def command(
    key: str,
    model: str | None,
    outcomes: tuple[Outcome, ...],
    limit: int,
    home: Path,
    *,
    failed: bool,
    wrong: bool,
    as_json: bool,
) -> None:
    """Show what was asked, answered, expected and scored.

    KEY is a task's key or a metric's, with a category or without, as `llmeval results` shows it.
    Shown are the samples behind the newest result. A control character appears as \\x1b and the
    like; --json has texts as they are.

    \b
    Examples:
      llmeval samples commonsense_qa_0shot
      llmeval samples aio_4shot_exact_match --wrong -m openai/gpt-4o-mini
      llmeval samples aio_4shot --outcome truncated --outcome empty
      llmeval samples aio_4shot --failed --json --limit 0 > failed.jsonl
    """
    with existing_journal(home) as journal, journal.reader() as reader:
        found = find_samples(reader, key, model)
        reasoning = ReasoningFinder(found.reasoning_tags)
        results = choose(reader, found, failed=failed, wrong=wrong, outcomes=outcomes)
        n_shown = 0
        for result in itertools.islice(results, limit or None):
            if is_output_closed():
                break
            n_shown += 1
            if as_json:
                head = {"model": found.task.model, "task": found.task.key}
                echo_json({**head, **sample_json(result)}, indent=None)
            else:
                echo_block(_title(result, found.task.model), result_parts(result, reasoning))
        more = limit > 0 and next(results, None) is not None
    if as_json or is_output_closed():
        return
    if n_shown == 0:
        echo(f"no such sample of {key} from {found.task.model}")
    elif more:
        echo_error(f"the first {n_shown}; --limit 0 shows all")


def _title(result: SampleResult, model: str) -> str:
    ended = None if result.outcome in ("answered", "failed") else result.outcome
    parts = [str(result.index), result.sample.id, result.sample.category, model, ended]
    return " · ".join(part for part in parts if part)
