"""Samples as files, streamed: JSON Lines, and CSV that no spreadsheet takes for formulas."""

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
from llmeval_server.api.reading import journal_reader

_PAGE = 500


@dataclass(frozen=True, slots=True)
class SampleChoice:
    """Which samples of which task of which journal."""

    home: Path
    found: SampleSelection

    def samples(self, reader: JournalQueries) -> Iterator[SampleResult]:
        """Stream them, in order."""
        return stream_samples(reader, self.found)


def json_lines(choice: SampleChoice) -> Iterator[str]:
    """Write a line of JSON for each sample, as `llmeval samples --json`."""
    with journal_reader(choice.home) as reader:
        if reader is not None:
            lines = []
            for sample in choice.samples(reader):
                lines.append(json.dumps(sample_json(sample)))  # ASCII: any text can be sent
                if len(lines) == _PAGE:
                    yield "\n".join(lines) + "\n"
                    lines = []
            if lines:
                yield "\n".join(lines) + "\n"


def csv_lines(choice: SampleChoice) -> Iterator[str]:
    """Write a header and a row for each sample; the byte order mark is for spreadsheets."""
    metrics = list(choice.found.metrics)
    out = io.StringIO()
    writer = csv.writer(out)
    header = ["index", "id", "category", "input", "expected", "answered", "failure"]
    finder = ReasoningFinder(choice.found.reasoning_tags)
    writer.writerow([*header, *map(as_cell, metrics), "outcome", "reasoning"])
    yield "\ufeff"
    with journal_reader(choice.home) as reader:
        if reader is not None:
            for sample in choice.samples(reader):
                writer.writerow(_row(sample, metrics, finder))
                if out.tell() > 100_000:
                    yield _taken(out)
    yield _taken(out)


def _row(
    result: SampleResult, metrics: list[str], finder: ReasoningFinder
) -> list[str | int | float | None]:
    """Make a row; the answer stands without its reasoning, which has a column of its own."""
    sample = result.sample
    expected = list(sample.references)
    if sample.answer is not None and sample.answer < len(sample.choices):
        expected = expected or [sample.choices[sample.answer]]
    answers = split_answers(result.generation, finder) if result.generation is not None else []
    answer = answers[0] if answers else ReasoningSplit("", "")
    failure = result.failure.message if result.failure is not None else ""
    texts = [sample.id, sample.category or "", sample.input_text, " | ".join(expected)]
    scores = [result.scores.get(metric) for metric in metrics]
    return [
        result.index,
        *map(as_cell, [*texts, answer.answer, failure]),
        *(score.value if score is not None else None for score in scores),
        result.outcome,
        as_cell(answer.reasoning),
    ]


def _taken(out: io.StringIO) -> str:
    """Take what was written so far; halves of surrogate pairs, which cannot be sent, are lost."""
    text = out.getvalue().encode("utf-8", "replace").decode()
    out.seek(0)
    out.truncate()
    return text
