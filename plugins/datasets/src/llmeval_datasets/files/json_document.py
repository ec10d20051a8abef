"""Reads a JSON document from a stream, value by value, so that a long list is never held whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from llmeval_core.hooks import DatasetError
from llmeval_datasets.files.text_files import LinePosition, LongLineError

_BLOCK = 1 << 16
_NEAR_END = 12
_SPACE = " \t\r\n\x1e\ufeff"


class RepeatedKeyError(ValueError):
    """An object has a key twice."""


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; Any: JSON.

    Raises:
        RepeatedKeyError: a key comes twice, so that it is not clear which value is meant.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RepeatedKeyError(f"the key '{twice}' comes twice in an object")
    return found


class JsonDocument:
    """The values of one document.

    Args:
        file: the text.
        place: told the line at which the reader is.
        path: for errors.
        most_chars: the longest value that is read as a whole.
    """

    def __init__(self, file: TextIO, place: LinePosition, path: Path, *, most_chars: int) -> None:
        self._file = file
        self._place = place
        self._path = path
        self._most_chars = most_chars
        self._decode = json.JSONDecoder(object_pairs_hook=unique_keys).raw_decode
        self._buffer = ""
        self._at = 0

    def rows(self, key: str | None, usual: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
        """Stream the rows with their lines; Any: JSON.

        They are the items of a list, of an object's list under the key, or, if there is neither,
        the objects of the document one after another.

        Raises:
            DatasetError: it is not JSON, or has no such list.
            LongLineError: one value is too long.
        """
        first = self._peek()
        if first == "[" and key is None:
            yield from self._items()
        elif first == "{":
            yield from self._rows_of_object(key, usual)
        else:
            raise self._error(f"the document has no key '{key}'", "leave `rows` out")
        if self._peek():
            raise self._error("not JSON: more follows after the end of the document")

    def _rows_of_object(self, key: str | None, usual: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
        """Read an object key by key; what is no list of rows is kept, to be a row itself."""
        line = self._place.line
        row: dict[str, Any] = {}
        lists: list[str] = []
        found: str | None = None
        for name in self._keys():
            is_list = self._peek() == "["
            wanted = name == key if key is not None else name in usual
            if is_list and wanted and (key is not None or self._holds_objects()):
                if found is not None:
                    raise self._error(
                        f"the document has two lists of rows, `{found}` and `{name}`",
                        "say which with `rows: KEY`",
                    )
                found = name
                yield from self._items()
            elif is_list:
                lists.append(name)
                if key is None and found is None:
                    row[name] = self._value()
                else:
                    for _ in self._items():
                        pass
            else:
                row[name] = self._value()
        if found is not None:
            return
        if key is not None:
            has = f"; it has {', '.join(lists)}" if lists else ""
            raise self._error(f"the document has no list '{key}'{has}", "check `rows`")
        yield line, row
        while self._peek() == "{":
            line = self._place.line
            yield line, self._value()

    def _items(self) -> Iterator[tuple[int, Any]]:
        self._take("[")
        if self._peek() == "]":
            self._take("]")
            return
        while True:
            self._peek()
            line = self._place.line
            yield line, self._value()
            if self._peek() != ",":
                self._take("]")
                return
            self._take(",")

    def _keys(self) -> Iterator[str]:
        """Give each key of an object; its value is to be read before the next."""
        self._take("{")
        if self._peek() == "}":
            self._take("}")
            return
        seen: set[str] = set()
        while True:
            if self._peek() != '"':
                raise self._error("not JSON: a key in double quotes was expected")
            name = self._value()
            if name in seen:
                raise self._error(f"not JSON that can be read: the key '{name}' comes twice")
            seen.add(name)
            self._take(":")
            yield name
            if self._peek() != ",":
                self._take("}")
                return
            self._take(",")

    def _holds_objects(self) -> bool:
        """Tell whether the list that comes next begins with an object."""
        at = self._at + 1
        while True:
            rest = self._buffer[at:].lstrip(_SPACE)
            if rest or not self._more():
                return rest.startswith("{")

    def _peek(self) -> str:
        """Pass over white space and return the next character; empty at the end."""
        while True:
            while self._at < len(self._buffer):
                character = self._buffer[self._at]
                if character not in _SPACE:
                    return character
                self._move(self._at + 1)
            if not self._more():
                return ""

    def _take(self, character: str) -> None:
        found = self._peek()
        if found != character:
            what = f"'{found}'" if found else "the end of the file"
            raise self._error(f"not JSON: '{character}' was expected, not {what}")
        self._move(self._at + 1)

    def _value(self) -> Any:
        """Read one value; Any: JSON."""
        self._peek()
        while True:
            try:
                value, end = self._decode(self._buffer, self._at)
                if end < len(self._buffer) or not self._more():
                    self._move(end)
                    return value
            except json.JSONDecodeError as err:
                is_cut = "Unterminated" in err.msg or err.pos >= len(self._buffer) - _NEAR_END
                n_before = err.pos - self._at
                if not is_cut or not self._more():
                    self._move(min(self._at + n_before, len(self._buffer)))
                    raise self._error(f"not JSON: {err.msg}") from None
            except RecursionError:
                raise self._error("not JSON that can be read: nested too deeply") from None
            except ValueError as err:
                raise self._error(f"not JSON that can be read: {err}") from None

    def _more(self) -> bool:
        """Read on; what was passed is forgotten, and each time twice as much is read.

        Raises:
            LongLineError: what is held is too long.
        """
        held = len(self._buffer) - self._at
        if held > self._most_chars:
            raise LongLineError(f"a value has more than {self._most_chars} characters")
        block = self._file.read(max(_BLOCK, held))
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        return bool(block)

    def _move(self, at: int) -> None:
        self._place.line += self._buffer.count("\n", self._at, at)
        self._at = at

    def _error(self, what: str, hint: str | None = None) -> DatasetError:
        return DatasetError(
            what,
            where=f"{self._path}:{self._place.line}",
            hint=hint or "mend the file; rows that are one a line can be skipped one by one",
        )
