"""Opening files: gzip by its first bytes, UTF-8 with or without BOM, and a digest on the way."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import io
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from llmeval_core.hooks import DatasetError

_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 20


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, unpacked if it is gzip.

    Raises:
        DatasetError: it is not there, or cannot be read; the nearest file name is offered.
    """
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, _neighbours(path), n=1)
        hint = f"did you mean '{path.with_name(near[0])}'?" if near else "check the path"
        raise DatasetError(f"there is no file '{path}'", hint=hint) from None
    except OSError as err:
        raise DatasetError(f"cannot read the file: {err.strerror}", where=str(path)) from err
    if raw.peek(2)[:2] != _GZIP:
        return raw
    raw.close()
    # cast: GzipFile reads like any binary file, but does not say so to the type checker
    return cast("BinaryIO", gzip.GzipFile(path))


def open_text(path: Path) -> TextIO:
    """Open a file as UTF-8 text, with or without BOM.

    Raises:
        DatasetError: as `open_bytes`.
    """
    return io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", newline="")


def digest_and_lines(path: Path) -> tuple[str, int]:
    """Return a digest of the (unpacked) content and the number of lines that are not empty.

    One pass, in blocks; the last line counts without its end, too.

    Raises:
        DatasetError: as `open_bytes`, or a broken gzip.
    """
    digest = hashlib.blake2b(digest_size=16)
    n_lines, tail = 0, b""
    try:
        with open_bytes(path) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                lines = (tail + block).split(b"\n")
                tail = lines.pop()
                n_lines += sum(map(bool, map(bytes.strip, lines)))
    except (OSError, EOFError) as err:
        raise DatasetError(f"cannot read the file: {err}", where=str(path)) from err
    n_lines += bool(tail.strip())
    return digest.hexdigest(), n_lines


def _neighbours(path: Path) -> list[str]:
    try:
        return [other.name for other in path.parent.iterdir()]
    except OSError:
        return []
