"""Numbers as rows: one for each model and metric key."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, overload

from llmeval.argument_check import checked_home, checked_texts
from llmeval.frames import as_frame
from llmeval_core.api import (
    OUTCOMES,
    Leaderboard,
    Outcome,
    TaskResult,
    UnknownNameError,
    cell_text,
    coverage_of,
    did_you_mean,
    existing_journal,
    make_leaderboard,
    sample_count_text,
    shown,
    to_markdown,
)

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One number, and what it was measured on.

    Args:
        model: `provider/model`.
        key: what it is called on the leaderboard: `{dataset}_{n}shot_{metric}`.
        value: the number; None if nothing could be scored.
        stderr: its standard error; None if unknown.
        low, high: between which numbers the value lies with 95 % confidence; None if unknown.
        n_scored: samples that went into it.
        n_failed: samples that should have, and failed.
        n_samples: samples of the task that were asked about.
        n_total: samples in the whole data set; None if unknown.
        dataset, n_shots, metric, category: the parts of the key; the category is None for the
            whole task.
        task: the task's own key, for `llmeval.samples`.
        higher_is_better: which way is better.
        definition: the id of what was computed.
        finished_at: seconds since 1970, UTC.
        outcomes: how many samples of the task ended how; empty for a category, where it is unknown.
    """

    model: str
    key: str
    value: float | None
    stderr: float | None
    low: float | None
    high: float | None
    n_scored: int
    n_failed: int
    n_samples: int
    n_total: int | None
    dataset: str
    n_shots: int
    metric: str
    category: str | None
    task: str
    higher_is_better: bool
    definition: str
    finished_at: float
    outcomes: Mapping[Outcome, int]

    def record(self) -> dict[str, Any]:
        """Return it as a flat mapping; Any: JSON. An outcome that was counted is `n_<outcome>`."""
        flat = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "outcomes"
        }
        counted = {
            f"n_{outcome}": self.outcomes[outcome]
            for outcome in OUTCOMES
            if outcome in self.outcomes and outcome != "failed"
        }
        return flat | counted


class ResultTable(Sequence[ResultRow]):
    """Rows, one a model and metric key; a notebook shows them as a leaderboard."""

    def __init__(self, board: Leaderboard) -> None:
        self._board = board
        self._rows = [_row(board, *place) for place in board.cells]

    @overload
    def __getitem__(self, index: int) -> ResultRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[ResultRow]: ...
    def __getitem__(self, index: int | slice) -> ResultRow | list[ResultRow]:
        """Return a row, or some of them as a list."""
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[ResultRow]:
        return iter(self._rows)

    def value(self, model: str, key: str) -> float | None:
        """Return one number; None if nothing could be scored.

        Raises:
            UnknownNameError: there is no such row.
        """
        cell = self._board.cells.get((model, key))
        if cell is None:
            raise self._unknown(model, key)
        return cell.aggregate.value

    def _unknown(self, model: str, key: str) -> UnknownNameError:
        """Say which part of a row's name is unknown, and what was meant."""
        of_model = [row.key for row in self._rows if row.model == model]
        what = f"there is no number '{key}' of '{model}'"
        if of_model:
            known, name = of_model, key
        else:
            known, name = [row.model for row in self._rows], model
            what = f"there are no numbers of the model '{model}'"
        listed = ", ".join(dict.fromkeys(known))
        return UnknownNameError(
            what, hint=did_you_mean(str(name), known) or f"there are: {listed or 'none'}"
        )

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as flat mappings that JSON can hold (Any)."""
        return [row.record() for row in self._rows]

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a frame; `finished_at` is a time in UTC.

        Raises:
            LlmevalError: pandas is not installed.
        """
        records = self.records()
        names = [field.name for field in fields(ResultRow) if field.name != "outcomes"]
        counted = {name for record in records for name in record} - set(names)
        frame = as_frame(records, [*names, *sorted(counted)])
        frame["finished_at"] = frame["finished_at"].astype("datetime64[s]").dt.tz_localize("UTC")
        return frame

    def __repr__(self) -> str:
        return to_markdown(self._board) if self._rows else "no results"

    def _repr_html_(self) -> str:
        board = self._board
        if not self._rows:
            return "<p>no results</p>"
        head = "".join(f"<th>{_escaped(key)}</th>" for key in ("model", *board.keys))
        body = "".join(
            f"<tr><td>{_escaped(model)}</td>"
            + "".join(f"<td>{_escaped(_cell(board, model, key))}</td>" for key in board.keys)
            + "</tr>"
            for model in board.models
        )
        return f"<table><tr>{head}</tr>{body}</table>"


def results(
    *,
    models: str | Iterable[str] = (),
    datasets: str | Iterable[str] = (),
    categories: bool = False,
    home: str | os.PathLike[str] | None = None,
) -> ResultTable:
    """Read the leaderboard: of each key the newest of the most complete results.

    Args:
        models: only these; all if empty.
        datasets: only these; all if empty.
        categories: whether the numbers of categories are there too.
        home: the project's folder; `LLMEVAL_HOME`, or `.llmeval`, if None.

    Raises:
        LlmevalError: there is no journal, or it cannot be read.
    """
    with existing_journal(checked_home(home)) as journal, journal.reader() as reader:
        board = make_leaderboard(
            reader.results(),
            models=checked_texts(models, "models"),
            datasets=checked_texts(datasets, "datasets"),
            categories=categories,
        )
    return ResultTable(board)


def table_of(found: Iterable[TaskResult]) -> ResultTable:
    """Make a table of the results of one run."""
    return ResultTable(make_leaderboard(found))


def _row(board: Leaderboard, model: str, key: str) -> ResultRow:
    cell, result = board.cells[model, key], board.results[model, key]
    aggregate = cell.aggregate
    low, high = aggregate.interval or (None, None)
    return ResultRow(
        model=model,
        key=key,
        value=aggregate.value,
        stderr=aggregate.stderr,
        low=low,
        high=high,
        n_scored=aggregate.n_scored,
        n_failed=aggregate.n_failed,
        n_samples=result.n_samples,
        n_total=coverage_of(result).n_total,
        dataset=result.dataset,
        n_shots=result.n_shots,
        metric=cell.metric,
        category=cell.category,
        task=result.task,
        higher_is_better=cell.higher_is_better,
        definition=cell.definition,
        finished_at=result.finished_at,
        outcomes=dict(board.outcomes(model, key)),
    )


def _cell(board: Leaderboard, model: str, key: str) -> str:
    return cell_text(
        board.cells.get((model, key)),
        sample_count_text(board, model, key),
        board.outcomes(model, key),
    )


def _escaped(text: str) -> str:
    return html.escape(shown(text))
