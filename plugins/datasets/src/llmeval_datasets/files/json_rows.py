"""The rows of JSON Lines, of a JSON array, or of a JSON document with a list of rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmeval_datasets.files.json_document import JsonDocument, unique_keys
from llmeval_datasets.files.text_files import LinePosition, TextOptions, lines_of, reading
from llmeval_datasets.rows.fields import Row
from llmeval_datasets.rows.sources import InvalidRow, NumberedRow

ROW_KEYS = ("data", "rows", "examples", "items", "questions", "instances", "records")
"""Keys under which a document's list of rows is looked for."""

_OF_ROWS = ("input", "question", "prompt", "messages", "conversations")
_HEAD_CHARS = 1 << 20
_WRAPPED = re.compile(rf'\s*\{{\s*"(?:{"|".join(ROW_KEYS)})"\s*:\s*\[\s*\{{')
_BLANK = " \t\r\n\x1e\ufeff\u2028\u2029\x85\x0b\x0c\x1a"
_decode = json.JSONDecoder(object_pairs_hook=unique_keys).decode


def json_rows(
    path: Path, options: TextOptions, rows_key: str | None = None
) -> Iterator[NumberedRow]:
    """Stream the rows of a file, whichever of the forms it has.

    Args:
        path: the file.
        options: how it is opened.
        rows_key: the key of a document's list of rows; None to try the usual ones.

    Raises:
        DatasetError: the file cannot be read on.
    """
    if _is_document(path, options, rows_key):
        yield from _document_rows(path, options, rows_key)
    else:
        yield from _line_rows(path, options)


def count_json_rows(path: Path, options: TextOptions, rows_key: str | None = None) -> int:
    """Count the rows without making them, where that is possible.

    Raises:
        DatasetError: see `json_rows`.
    """
    if _is_document(path, options, rows_key):
        return sum(1 for _ in _document_rows(path, options, rows_key))
    place = LinePosition()
    with reading(path, options, place) as file:
        lines = lines_of(file, place, most_chars=options.limits.line_chars)
        return sum(1 for line in lines if bare(line))


def bare(line: str) -> str:
    """Take away white space, marks (BOM) and separators around a line's value."""
    text = line.strip()
    return text if text[:1] in ("{", "") else text.strip(_BLANK)


def parse_row(line: str) -> Row | InvalidRow:
    """Read one line of JSON Lines, without what is around it."""
    try:
        row = _decode(line)
    except json.JSONDecodeError as err:
        if err.msg == "Extra data":
            return InvalidRow(f"more than one JSON value in the line, from column {err.colno}")
        return InvalidRow(f"not JSON: {err.msg}, column {err.colno}")
    except RecursionError:
        return InvalidRow("not JSON that can be read: it is nested too deeply")
    except ValueError as err:
        return InvalidRow(f"not JSON that can be read: {err}")
    return row if isinstance(row, dict) else InvalidRow("not a JSON object")


def _line_rows(path: Path, options: TextOptions) -> Iterator[NumberedRow]:
    place = LinePosition()
    with reading(path, options, place) as file:
        for line in lines_of(file, place, most_chars=options.limits.line_chars):
            text = bare(line)
            if text:
                yield place.line, parse_row(text)


def _document_rows(path: Path, options: TextOptions, rows_key: str | None) -> Iterator[NumberedRow]:
    place = LinePosition()
    with reading(path, options, place) as file:
        document = JsonDocument(file, place, path, most_chars=options.limits.line_chars)
        for number, (line, row) in enumerate(document.rows(rows_key, ROW_KEYS), start=1):
            where = f"{line}, item {number}"
            yield where, row if isinstance(row, dict) else InvalidRow("not a JSON object")


def _is_document(path: Path, options: TextOptions, rows_key: str | None) -> bool:
    """Tell a document from lines, by what stands first."""
    if rows_key is not None:
        return True
    place = LinePosition()
    with reading(path, options, place) as file:
        first = second = ""
        while (line := file.readline(_HEAD_CHARS)) and not second:
            if not first:
                first = line.strip(_BLANK)
            else:
                second = line.strip(_BLANK)
    if first.startswith("["):
        return True
    if len(first) >= _HEAD_CHARS - 1:
        return _WRAPPED.match(first) is not None
    try:
        value = _decode(first)
    except json.JSONDecodeError as err:
        return first.startswith("{") and err.pos >= len(first)
    except (ValueError, RecursionError):
        return False
    return not second and _wraps_rows(value)


def _wraps_rows(value: Any) -> bool:
    """Tell the one object of a file that has a list of rows from one that is a row; Any: JSON."""
    if not isinstance(value, dict) or any(key in value for key in _OF_ROWS):
        return False
    lists = [value[key] for key in ROW_KEYS if isinstance(value.get(key), list)]
    return any(items and all(isinstance(item, dict) for item in items) for items in lists)
