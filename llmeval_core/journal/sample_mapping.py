"""Between samples and their rows in the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from llmeval_core.journal.message_rows import MessageReader, message_cell
from llmeval_core.journal.text_lists import text_list, to_texts
from llmeval_core.records import Failure, Sample, SampleResult

INSERT_SAMPLES = "INSERT OR REPLACE INTO samples"
INSERT_TURNS = "INSERT OR REPLACE INTO turns"


class SampleColumns(NamedTuple):
    """What is kept of a sample itself, in `samples`."""

    sample_id: str
    input: str
    reference_texts: str | None
    choices: str | None
    answer: int | None
    category: str | None
    messages: str | None


class AskedColumns(NamedTuple):
    """Which request a sample was answered by, in `samples`."""

    idx: int
    generation: bytes


class EndColumns(NamedTuple):
    """How a sample ended, in `samples`."""

    idx: int
    generation: bytes | None
    failure_kind: Any  # Any: a `FailureKind`, which SQLite does not know
    failure: Any
    outcome: Any
    metric_failures: str | None


def sample_columns(sample: Sample) -> SampleColumns:
    """Write a sample; its metadata is not kept."""
    text, turns = "", None
    if isinstance(sample.input, str):
        text = sample.input
    else:
        turns = message_cell(sample.input)
    return SampleColumns(
        sample.id,
        text,
        text_list(sample.references) if sample.references else None,
        text_list(sample.choices) if sample.choices else None,
        sample.answer,
        sample.category,
        turns,
    )


def sample_row(task_id: int, result: SampleResult, request: bytes | None) -> tuple[Any, ...]:
    """Make the row of a finished sample with its request's fingerprint; metadata is not kept.

    Any: SQLite columns.
    """
    sample, failure = result.sample, result.failure
    *columns, turns = sample_columns(sample)
    return (
        task_id,
        result.index,
        *columns,
        request,
        failure.kind if failure else None,
        failure.message if failure else None,
        result.outcome,
        turns,
        _failures_cell(result.metric_failures) if result.metric_failures else None,
    )


def _failures_cell(failures: Mapping[str, Failure]) -> str:
    return json.dumps({name: [one.kind, one.message] for name, one in failures.items()})


def to_sample(row: SampleColumns, reader: MessageReader) -> Sample:
    """Read a sample."""
    return Sample(
        id=row.sample_id,
        input=reader.messages(row.messages) if row.messages else row.input,
        references=to_texts(row.reference_texts),
        choices=to_texts(row.choices),
        answer=row.answer,
        category=row.category,
    )


def to_failure(row: EndColumns) -> Failure | None:
    """Read why a sample failed; None if it did not."""
    return Failure(row.failure_kind, row.failure) if row.failure_kind is not None else None


def to_metric_failures(row: EndColumns) -> dict[str, Failure]:
    """Read why single metrics could not score a sample, by metric."""
    if row.metric_failures is None:
        return {}
    return {name: Failure(*stored) for name, stored in json.loads(row.metric_failures).items()}
