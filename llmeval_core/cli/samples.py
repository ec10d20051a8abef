"""`llmeval samples`: what was asked, answered, expected and scored."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import complete_from_journal, home_option, key_argument

OUTCOMES = ("answered", "truncated", "empty", "refused", "filtered", "unscored", "failed")
"""As in `records.OUTCOMES`, without importing it."""


@click.command()
@key_argument
@click.option(
    "-m",
    "--model",
    metavar="PROVIDER/MODEL",
    help="Whose samples; needed only if several models have them.",
    shell_complete=complete_from_journal("model"),
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
def command(**arguments: Any) -> None:  # Any: each of its own type
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
    from llmeval_core.cli.samples_action import show_samples  # noqa: PLC0415  late: see `options`

    show_samples(**arguments)
