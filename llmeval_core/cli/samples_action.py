"""What `llmeval samples` does."""

from __future__ import annotations

import itertools
from pathlib import Path

from llmeval_core.api import (
    Outcome,
    ReasoningFinder,
    SampleCriteria,
    SampleResult,
    existing_journal,
    find_samples,
    sample_json,
    stream_samples,
)
from llmeval_core.cli.console import echo, echo_block, echo_error, echo_json, is_output_closed
from llmeval_core.cli.sample_view import result_parts


def show_samples(
    *,
    key: str,
    model: str | None,
    outcomes: tuple[Outcome, ...],
    limit: int,
    home: Path,
    failed: bool,
    wrong: bool,
    as_json: bool,
) -> None:
    """Print the samples of a task that fit."""
    criteria = SampleCriteria(key, model, outcomes=frozenset(outcomes), failed=failed, wrong=wrong)
    with existing_journal(home) as journal, journal.reader() as reader:
        found = find_samples(reader, criteria)
        reasoning = ReasoningFinder(found.reasoning_tags)
        results = stream_samples(reader, found)
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
