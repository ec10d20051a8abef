"""Opening files as text, line by line within bounds, and a digest of what is in them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from llmeval_core.hooks import DatasetError
from llmeval_datasets.files.encodings import encoding_of, refuse_switches, wrong_encoding
from llmeval_datasets.files.file_type_check import refuse_foreign, refuse_pointer
from llmeval_datasets.files.unpacking import DEFAULT_LIMITS, ReadLimits, open_bytes

_BLOCK = 1 << 20
_MARK = "\ufeff"
_WIDE = ("utf_16", "utf-16", "utf_32", "utf-32")


class LongLineError(ValueError):
    """A line has more characters than may be read."""


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How text files are opened.

    Args:
        encoding: what was set; None for the mark or UTF-8.
        limits: how much is read at most.
    """

    encoding: str | None = None
    limits: ReadLimits = DEFAULT_LIMITS


DEFAULT = TextOptions()


def open_text(path: Path, options: TextOptions = DEFAULT) -> TextIO:
    """Open a file as text; line ends are kept as they are.

    Raises:
        DatasetError: it is not there, cannot be read or is no text.
    """
    is_wide = options.encoding is not None and options.encoding.startswith(_WIDE)
    check = refuse_pointer if is_wide else refuse_foreign
    raw = open_bytes(path, options.limits, check=check)
    try:
        encoding = encoding_of(raw.peek(4)[:4], options.encoding, path)
        if options.encoding is None:
            refuse_switches(raw.peek(1), path)
    except BaseException:
        raw.close()
        raise
    return io.TextIOWrapper(raw, encoding=encoding, newline="")


@contextmanager
def reading(path: Path, options: TextOptions, place: LinePosition) -> Iterator[TextIO]:
    """Open a file as text, and name what goes wrong while it is read, with the line.

    Args:
        path: the file.
        options: how.
        place: where the reader is.

    Raises:
        DatasetError: see `open_text`; it is broken, not of this encoding, or a line is too long.
    """
    encoding = "utf-8"
    try:
        with open_text(path, options) as file:
            encoding = file.encoding
            yield file
    except UnicodeError as err:
        if not isinstance(err, UnicodeDecodeError):
            raise DatasetError(f"cannot read on: {err}", where=f"{path}:{place.line}") from err
        with open_bytes(path, options.limits, check=refuse_pointer) as raw:
            raise wrong_encoding(raw, encoding, path) from None
    except LongLineError as err:
        raise DatasetError(
            str(err),
            where=f"{path}:{place.line}",
            hint="`max_line_chars` allows more; is this a file with one row a line?",
        ) from None
    except (OSError, EOFError) as err:
        raise DatasetError(f"cannot read on: {err}", where=f"{path}:{place.line}") from err


@dataclass(slots=True)
class LinePosition:
    """The line at which a reader is, from 1."""

    line: int = 1


def lines_of(file: TextIO, place: LinePosition, *, most_chars: int) -> Iterator[str]:
    """Read lines with their ends, whatever the system's line end; a mark (BOM) is taken away.

    Only LF, CR and CR LF end a line.

    Raises:
        LongLineError: a line is longer than may be.
    """
    place.line = 0
    while line := file.readline(most_chars + 1):
        place.line += 1
        if len(line) > most_chars and line[-1] not in "\r\n":
            raise LongLineError(f"the line has more than {most_chars} characters")
        yield line.removeprefix(_MARK) if place.line == 1 else line
    place.line += 1


def digest_of(path: Path, limits: ReadLimits = DEFAULT_LIMITS) -> str:
    """Return a digest of the (unpacked) content; one pass, in blocks.

    Raises:
        DatasetError: the file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_bytes(path, limits, check=refuse_pointer) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except (OSError, EOFError) as err:
        raise DatasetError(f"cannot read the file: {err}", where=str(path)) from err
    return digest.hexdigest()
