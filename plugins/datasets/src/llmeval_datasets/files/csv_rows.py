"""The rows of a CSV file: streamed, strict, with the lines on which they begin."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from llmeval_core.hooks import DatasetError, strip_invisible
from llmeval_datasets.files.file_search import suffix_of
from llmeval_datasets.files.file_settings import CsvSettings
from llmeval_datasets.files.text_files import LinePosition, TextOptions, lines_of, reading
from llmeval_datasets.rows.sources import InvalidRow, NumberedRow

_SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)\r?\n?")
_TAB_SUFFIXES = (".tsv", ".tab")
_SAID = {
    "unexpected end of data": "a quote is opened and never closed",
    "line contains NUL": "it has a NUL character",
}


def csv_rows(path: Path, options: TextOptions, settings: CsvSettings) -> Iterator[NumberedRow]:
    """Stream the rows; a row's number is that of its first line.

    Lines that are empty or have only empty fields are passed over.

    Raises:
        DatasetError: the file cannot be read, or its header is wrong.
    """
    place = LinePosition()
    with reading(path, options, place) as file:
        lines = lines_of(file, place, most_chars=options.limits.line_chars)
        delimiter, n_before, lines = _delimiter(lines, path, settings)
        rows = _CsvReader(file, lines, settings, delimiter, options.limits.line_chars)
        header: list[str] | None = None
        for number, fields in rows.read(path):
            where = f"{path}:{number + n_before}"
            if isinstance(fields, InvalidRow):
                if header is None:
                    raise DatasetError(fields.why, where=where, hint=fields.hint)
                yield number + n_before, fields
                continue
            if header is None:
                header = _header(fields, settings, where, delimiter)
                if settings.header:
                    continue
            if len(fields) != len(header):
                yield number + n_before, InvalidRow(_count(fields, header), hint=_COUNT_HINT)
            elif any(fields):
                yield number + n_before, _row(header, fields)


_COUNT_HINT = "mend the row (are delimiters in a text without quotes?), or set `on_error: skip`"


class _CsvReader:
    """Reads the fields of one row after another."""

    def __init__(
        self,
        file: TextIO,
        lines: Iterator[str],
        settings: CsvSettings,
        delimiter: str,
        most_chars: int,
    ) -> None:
        # This limit is one for the process; it is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), most_chars))
        self._most_chars = most_chars
        self._reader = csv.reader(
            lines,
            delimiter=delimiter,
            quotechar=settings.quote,
            quoting=csv.QUOTE_MINIMAL if settings.quote else csv.QUOTE_NONE,
            strict=True,
        )

    def read(self, path: Path) -> Iterator[tuple[int, list[str] | InvalidRow]]:
        """Give each row with its first line; what is not CSV is a bad row."""
        while True:
            number = self._reader.line_num + 1
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error as err:
                if "field limit" in str(err):
                    raise DatasetError(
                        f"a field has more than {self._most_chars} characters",
                        where=f"{path}:{number}",
                        hint="is a quote never closed? `max_line_chars` allows more",
                    ) from None
                why = _SAID.get(str(err), f"not CSV: {err}")
                yield number, InvalidRow(why, hint="mend the quotes, or set `quote: null`")
                continue
            if fields:
                yield number, fields


def _delimiter(
    lines: Iterator[str], path: Path, settings: CsvSettings
) -> tuple[str, int, Iterator[str]]:
    """Find the delimiter: as set, by Excel's `sep=;` line, by the suffix."""
    first = next(lines, "")
    said = _SEPARATOR_LINE.fullmatch(first)
    by_name = "\t" if suffix_of(path) in _TAB_SUFFIXES else ","
    if said is not None:
        return settings.delimiter or said[1], 1, lines

    def again() -> Iterator[str]:
        yield first
        yield from lines

    return settings.delimiter or by_name, 0, again() if first else iter(())


def _header(fields: list[str], settings: CsvSettings, where: str, delimiter: str) -> list[str]:
    """Name the columns.

    Raises:
        DatasetError: a name comes twice, or there are more or fewer names than columns.
    """
    if settings.columns is not None:
        header = settings.columns
        if len(header) != len(fields):
            raise DatasetError(
                f"`columns` has {len(header)} names, the line has {len(fields)} fields",
                where=where,
                hint="name every column, or check the delimiter",
            )
    elif settings.header:
        header = [strip_invisible(name) for name in fields]
    else:
        header = [f"column{place}" for place in range(1, len(fields) + 1)]
    _check_delimiter(fields, settings, where, delimiter)
    named = [name for name in header if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        places = [place for place, name in enumerate(header, start=1) if name == twice[0]]
        raise DatasetError(
            f"the column '{twice[0]}' comes twice (columns {', '.join(map(str, places))})",
            where=where,
            hint="rename one, or give names with `columns: [...]`; "
            "without a header, set `header: false` too",
        )
    return header


def _check_delimiter(fields: list[str], settings: CsvSettings, where: str, delimiter: str) -> None:
    if len(fields) > 1 or settings.delimiter is not None:
        return
    other = next((sign for sign in ";\t|," if sign != delimiter and sign in fields[0]), None)
    if other is not None:
        name = {"\t": "tab"}.get(other, other)
        raise DatasetError(
            f"the header has one column, '{fields[0][:60]}'",
            where=where,
            hint=f"set `delimiter: '{name}'`",
        )


def _row(header: list[str], fields: list[str]) -> dict[str, str]:
    """Pair names and fields; a column without a name is left out."""
    row = dict(zip(header, fields, strict=True))
    row.pop("", None)
    return row


def _count(fields: list[str], header: list[str]) -> str:
    return f"{len(fields)} fields, the header has {len(header)}"
