"""Samples as rows: what was asked, answered, expected and scored."""

from __future__ import annotations

import html
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from llmeval.argument_check import checked_count, checked_home, checked_text, checked_texts
from llmeval.frames import as_frame
from llmeval_core.api import (
    Outcome,
    SampleCriteria,
    SampleResult,
    existing_journal,
    find_samples,
    known_outcome,
    sample_json,
    shown,
    stream_samples,
)

if TYPE_CHECKING:
    import pandas

MOST_SHOWN = 20
"""Rows that a notebook shows of itself."""
_COLUMNS = ("index", "id", "category", "input", "expected", "answer", "outcome", "failure")


class SampleTable(Sequence[SampleResult]):
    """Finished samples of one model at one task, in the order of the data set.

    Args:
        model, task: whose they are.
        found: the samples.
    """

    def __init__(self, model: str, task: str, found: Iterable[SampleResult]) -> None:
        self.model = model
        self.task = task
        self._samples = list(found)

    @overload
    def __getitem__(self, index: int) -> SampleResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[SampleResult]: ...
    def __getitem__(self, index: int | slice) -> SampleResult | list[SampleResult]:
        """Return a sample, or some of them as a list."""
        return self._samples[index]

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[SampleResult]:
        return iter(self._samples)

    def records(self) -> list[dict[str, Any]]:
        """Return everything about each sample as JSON (Any), as `llmeval samples --json` does."""
        head = {"model": self.model, "task": self.task}
        return [head | sample_json(sample) for sample in self._samples]

    def to_pandas(self) -> pandas.DataFrame:
        """Return a frame: a line a sample, and for each metric its score and what it read.

        Raises:
            LlmevalError: pandas is not installed.
        """
        return as_frame(map(_flat, self._samples), self._columns())

    def __repr__(self) -> str:
        return f"<{len(self)} samples of {self.task} from {self.model}>"

    def _repr_html_(self) -> str:
        columns = self._columns()
        head = "".join(f"<th>{_escaped(name)}</th>" for name in columns)
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{_escaped(_text(row.get(name)))}</td>" for name in columns)
            + "</tr>"
            for row in map(_flat, self._samples[:MOST_SHOWN])
        )
        more = len(self) - MOST_SHOWN
        left = f"<p>and {more} more</p>" if more > 0 else ""
        return f"<p>{_escaped(repr(self))}</p><table><tr>{head}</tr>{rows}</table>{left}"

    def _columns(self) -> list[str]:
        metrics = dict.fromkeys(name for sample in self._samples for name in sample.scores)
        return [*_COLUMNS, *(column for name in metrics for column in (name, f"{name}:parsed"))]


def samples(
    key: str,
    *,
    model: str | None = None,
    failed: bool = False,
    wrong: bool = False,
    outcomes: Outcome | Iterable[Outcome] = (),
    limit: int | None = None,
    home: str | os.PathLike[str] | None = None,
) -> SampleTable:
    """Read the samples behind the result of a key that stands.

    Args:
        key: a task's or a metric's, with a category or without, as `llmeval.results` has it.
        model: whose samples; needed only if several models have them.
        failed: only samples that failed.
        wrong: only samples with a bad score: not perfect if the key names a metric, otherwise 0
            from any metric; with `failed` both.
        outcomes: of these only samples that ended so; all if empty.
        limit: the first so many; all if None or 0, which may be more than memory holds.
        home: the project's folder; `LLMEVAL_HOME`, or `.llmeval`, if None.

    Raises:
        UnknownNameError: nothing in the journal, or no outcome, is called so.
        LlmevalError: there is no journal, or several models have such samples.
    """
    criteria = SampleCriteria(
        checked_text(key, "key"),
        None if model is None else checked_text(model, "model"),
        outcomes=frozenset(known_outcome(one) for one in checked_texts(outcomes, "outcomes")),
        failed=failed,
        wrong=wrong,
    )
    most = checked_count(limit, "limit") or None
    with existing_journal(checked_home(home)) as journal, journal.reader() as reader:
        found = find_samples(reader, criteria)
        chosen = stream_samples(reader, found)
        return SampleTable(found.task.model, found.task.key, itertools.islice(chosen, most))


def _flat(result: SampleResult) -> dict[str, Any]:
    """Return one line of a frame; Any: what a cell can hold."""
    sample, generation = result.sample, result.generation
    expected = list(sample.references)
    if sample.choices and sample.answer is not None:
        expected = [sample.choices[sample.answer]]
    flat: dict[str, Any] = {
        "index": result.index,
        "id": sample.id,
        "category": sample.category,
        "input": _as_text(sample.input),
        "expected": expected,
        "answer": generation.text if generation is not None and generation.texts else None,
        "outcome": result.outcome,
        "failure": result.failure_text or None,
    }
    for name, score in result.scores.items():
        flat[name] = score.value
        flat[f"{name}:parsed"] = score.parsed
    return flat


def _as_text(asked: Any) -> str:
    """Write a question that may be a conversation; Any: a text or messages."""
    if isinstance(asked, str):
        return asked
    return "\n".join(f"{message.role}: {message.text}" for message in asked)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _escaped(text: str) -> str:
    return html.escape(shown(text))
