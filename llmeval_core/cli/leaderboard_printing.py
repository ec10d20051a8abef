"""The leaderboard as lines of text, in the layout that fits the width.

Tried in this order, from the one that compares best to the one that always fits:

1. a table with a row for each model, and a column for each metric key;
2. a table with a row for each metric key, and a column for each model;
3. the same with keys broken into lines;
4. for several models: several tables as in 1, one below the other, each with as many columns as
   fit;
5. no table: names, and numbers below them.

Every layout has all numbers, with their intervals and with how many samples they are of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmeval_core.api import Leaderboard, cell_text, outcome_notes, sample_count_text, shown
from llmeval_core.cli.tables import Column, Paint, Table, unpainted
from llmeval_core.cli.wrapping import text_width, wrap

_LEAST_NAME_WIDTH = 14
"""Cells to which a model's name is folded at most."""
_LEAST_COLUMN = 4
"""Cells of the narrowest column, with its line."""


def leaderboard_lines(
    board: Leaderboard, width: int, *, paint: Paint = unpainted, is_ascii: bool = False
) -> list[str]:
    """Lay the leaderboard out for a terminal of so many cells.

    How many samples a number is of stands beside its key if that is the same for all models,
    otherwise beside each number. At the end stands a line for each task with samples that were not
    simply answered.
    """
    view = _View(board)
    ways = (view.models_as_rows, view.keys_as_rows, view.broken_keys)
    whole = (table for way in ways if (table := way(width)) is not None)
    fitting = next((table for table in whole if table.width() <= width), None)
    tables = [fitting] if fitting is not None else view.sections(width)
    lines = [
        line for table in tables for line in table.lines(width, paint=paint, is_ascii=is_ascii)
    ]
    notes = [shown(note) for note in outcome_notes(board.shown_results())]
    return [*(lines or view.blocks()), *notes]


class _View:
    """The texts of a leaderboard, made once, and the tables that can be made of them."""

    def __init__(self, board: Leaderboard) -> None:
        self._models = [shown(model) for model in board.models]
        self._keys = [shown(key) for key in board.keys]
        self._counts: list[str] = []
        """By key, of how many samples all of its numbers are; empty if they differ."""
        self._cells: list[list[str]] = []
        """By key and model, the texts."""
        for key in board.keys:
            counts = [sample_count_text(board, model, key) for model in board.models]
            different = {n for n in counts if n}
            common = different.pop() if len(different) == 1 else ""
            self._counts.append(common)
            self._cells.append(
                [
                    cell_text(
                        board.cells.get((model, key)),
                        "" if common else n,
                        board.outcomes(model, key),
                    )
                    for model, n in zip(board.models, counts, strict=True)
                ]
            )

    def models_as_rows(self, width: int) -> Table | None:
        """Make a table with a row for each model; None if it is too wide in any case."""
        if len(self._keys) * _LEAST_COLUMN > width:
            return None
        return self._rows_of_models(range(len(self._keys)), self._models)

    def keys_as_rows(self, width: int) -> Table | None:
        """Make a table with a row for each key; None if it is too wide in any case."""
        if len(self._models) * _LEAST_COLUMN > width:
            return None
        names = self._folded_models(width - max(map(len, self._keys), default=0))
        table = Table([Column("metric key"), Column("n", "right"), *names], is_boxed=True)
        for key, n, cells in zip(self._keys, self._counts, self._cells, strict=True):
            table.add(key, n, *cells)
        return table

    def broken_keys(self, width: int) -> Table | None:
        """Make a table with a row for each key, in several lines; None if it is too wide."""
        if len(self._models) * _LEAST_COLUMN > width:
            return None
        table = Table([Column("metric key"), *self._folded_models(width)], is_boxed=True)
        for key, n, cells in zip(self._keys, self._counts, self._cells, strict=True):
            table.add("\n  ".join(_broken_key(key, n)), *cells)
        return table

    def sections(self, width: int) -> list[Table]:
        """Make tables with a row for each model, each with as many keys as fit the width.

        Names of models are folded only where that makes fewer tables.

        Returns:
            None at all for one model, or if there is a key that does not fit alone.
        """
        widths = [
            max(map(text_width, [*_heading(key, n), *cells]))
            for key, n, cells in zip(self._keys, self._counts, self._cells, strict=True)
        ]
        ways = []
        if not widths or len(self._models) < 2:
            return []
        for most in (width, width // 3, _LEAST_NAME_WIDTH):
            names = ["\n".join(_folded(model, most)) for model in self._models]
            room = width - max(map(text_width, names)) - 4
            if max(widths) + 3 <= room:
                ways.append((_groups(widths, room), names))
        if not ways:
            return []
        groups, names = min(ways, key=lambda way: len(way[0]))
        return [self._rows_of_models(group, names) for group in groups]

    def blocks(self) -> list[str]:
        """Write names with numbers below them."""
        if len(self._models) == 1:
            lines = self._models[:1]
            for key, n, (cell,) in zip(self._keys, self._counts, self._cells, strict=True):
                lines += [f"  {key}", f"    {cell}" + (f" n={n}" if n else "")]
            return lines
        lines = []
        for key, n, cells in zip(self._keys, self._counts, self._cells, strict=True):
            lines.append(key + (f" n={n}" if n else ""))
            for model, cell in zip(self._models, cells, strict=True):
                lines += [f"  {model}", f"    {cell}"] if cell else []
        return lines

    def _rows_of_models(self, keys: Sequence[int], names: Sequence[str]) -> Table:
        """Make a table of some keys; models without any of these numbers are left out."""
        headings = ["\n".join(_heading(self._keys[at], self._counts[at])) for at in keys]
        columns = [Column("model"), *(Column(heading, "right") for heading in headings)]
        table = Table(columns, is_boxed=True)
        for index, name in enumerate(names):
            cells = [self._cells[at][index] for at in keys]
            if any(cells):
                table.add(name, *cells)
        return table

    def _folded_models(self, width: int) -> list[Column]:
        """Make the heading of a column for each model, folded so that all may fit the width."""
        most = max(_LEAST_NAME_WIDTH, width // max(len(self._models), 1) - 3)
        return [Column("\n".join(_folded(model, most)), "right") for model in self._models]


def _groups(widths: Sequence[int], room: int) -> list[list[int]]:
    """Put columns into groups, in their order, none wider than there is room."""
    groups: list[list[int]] = [[]]
    left = room
    for at, width in enumerate(widths):
        if width + 3 > left and groups[-1]:
            groups.append([])
            left = room
        groups[-1].append(at)
        left -= width + 3
    return groups


def _heading(key: str, n: str) -> list[str]:
    """Break `nq_open_5shot_exact_match` into data set, shots and metric, a line each, and n."""
    dataset, shots, metric = key.rpartition("shot_")
    name, _, n_shots = dataset.rpartition("_")
    parts = [name, f"{n_shots}shot", metric] if shots else [key]
    return [*parts, f"n={n}"] if n else parts


def _broken_key(key: str, n: str) -> list[str]:
    """Break `nq_open_5shot_exact_match` into the task and the metric, a line each, and n."""
    task, shots, metric = key.rpartition("shot_")
    parts = [f"{task}shot", metric] if shots else [key]
    return [*parts, f"n={n}"] if n else parts


def _folded(name: str, width: int) -> list[str]:
    """Break a model's name into lines, behind its punctuation if possible."""
    lines = [""]
    for part in re.findall(r"[^/_.:-]*[/_.:-]|[^/_.:-]+", name):
        if text_width(lines[-1] + part) <= width or not lines[-1]:
            lines[-1] += part
        else:
            lines.append(part)
    return [piece for line in lines for piece in wrap(line, width)]
