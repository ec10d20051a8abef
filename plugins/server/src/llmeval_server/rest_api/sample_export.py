"""Samples as streamed files: JSON Lines, and CSV in which no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llmeval_core.api import (
    JournalQueries,
    SampleSelection,
    as_cell,
    sample_json,
    stream_samples,
)
from llmeval_core.hooks import ReasoningFinder, ReasoningSplit, SampleResult, split_answers
from llmeval_server.journal_access import journal_reader

_PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class SampleExport:
    """The samples to export: of one task in one journal."""

    home: Path
    selection: SampleSelection

    def samples(self, reader: JournalQueries) -> Iterator[SampleResult]:
        """Stream the samples, in order."""
        return stream_samples(reader, self.selection)


def json_lines(export: SampleExport) -> Iterator[str]:
    """Yield a line of JSON for each sample, as `llmeval samples --json` prints it."""
    with journal_reader(export.home) as reader:
        if reader is not None:
            lines = []
            for sample in export.samples(reader):
                lines.append(
                    json.dumps(sample_json(sample))
                )  # ASCII, as lone surrogates cannot be encoded
                if len(lines) == _PAGE_SIZE:
                    yield "\n".join(lines) + "\n"
                    lines = []
            if lines:
                yield "\n".join(lines) + "\n"


def csv_lines(export: SampleExport) -> Iterator[str]:
    """Yield a header and a row for each sample; spreadsheets need the byte order mark."""
    metrics = list(export.selection.metrics)
    out = io.StringIO()
    writer = csv.writer(out)
    header = ["index", "id", "category", "input", "expected", "answered", "failure"]
    finder = ReasoningFinder(export.selection.reasoning_tags)
    writer.writerow([*header, *map(as_cell, metrics), "outcome", "reasoning"])
    yield "\ufeff"
    with journal_reader(export.home) as reader:
        if reader is not None:
            for sample in export.samples(reader):
                writer.writerow(_row(sample, metrics, finder))
                if out.tell() > 100_000:
                    yield _drain(out)
    yield _drain(out)


def _row(
    result: SampleResult, metrics: list[str], finder: ReasoningFinder
) -> list[str | int | float | None]:
    """Make a row; the reasoning is separated from the answer into a column of its own."""
    sample = result.sample
    expected = list(sample.references)
    if sample.answer is not None and sample.answer < len(sample.choices):
        expected = expected or [sample.choices[sample.answer]]
    answers = split_answers(result.generation, finder) if result.generation is not None else []
    answer = answers[0] if answers else ReasoningSplit("", "")
    texts = [sample.id, sample.category or "", sample.input_text, " | ".join(expected)]
    scores = [result.scores.get(metric) for metric in metrics]
    return [
        result.index,
        *map(as_cell, [*texts, answer.answer, "; ".join(result.reasons)]),
        *(score.value if score is not None else None for score in scores),
        result.outcome,
        as_cell(answer.reasoning),
    ]


def _drain(out: io.StringIO) -> str:
    """Return and clear what was written; lone surrogates, which have no UTF-8, are replaced."""
    text = out.getvalue().encode("utf-8", "replace").decode()
    out.seek(0)
    out.truncate()
    return text
