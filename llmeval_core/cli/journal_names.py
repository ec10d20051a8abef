"""What results in the journal are called, for shell completion."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from llmeval_core.api import LlmevalError, TaskResult, existing_journal


def journal_names(home: Path, what: Literal["key", "model", "dataset"]) -> list[str]:
    """List the keys, models or data sets of all results, sorted; empty if there is no journal."""
    try:
        with existing_journal(home) as journal, journal.reader() as reader:
            found = {name for result in reader.results() for name in _names(result, what)}
    except LlmevalError:  # a completion cannot show an error
        return []
    return sorted(found)


def _names(result: TaskResult, what: Literal["key", "model", "dataset"]) -> list[str]:
    if what == "key":
        return [result.task, *(metric.key for metric in result.metrics)]
    return [result.model if what == "model" else result.dataset]
