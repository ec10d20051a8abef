"""Names files that are something else than data in text."""

from __future__ import annotations

import re
from pathlib import Path

from llmeval_core.hooks import DatasetError

_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/|version https://hawser")
_LFS_SIZE = re.compile(rb"^size (\d+)", re.MULTILINE)
_ANNEX = re.compile(rb"^(?:\.\./)*\.?/?(?:\.git/)?annex/objects/")
_PAGE = re.compile(rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html)\b", re.I | re.S)
_XML = re.compile(rb"\s*<\?xml\b", re.I)
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "a Parquet file", "use `parquet:` instead"),
    (b"PARE", "an encrypted Parquet file", "decrypt it"),
    (b"ARROW1", "an Arrow file", "use `huggingface` for a folder of `save_to_disk`, or Parquet"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"%PDF", "a PDF file", "export the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "save it as CSV (UTF-8)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"\x93NUMPY", "a NumPy file", "write it as JSON Lines"),
    (b"\x89PNG", "an image", "check the path"),
    (b"\x89HDF", "an HDF5 file", "write it as JSON Lines"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c\x1d\x1f\x7f]")
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def refuse_foreign(head: bytes, path: Path) -> None:
    """Refuse a file by its first bytes, if they show that it is no text with rows.

    Raises:
        DatasetError: it is a pointer, a web page, an archive or another binary file.
    """
    refuse_pointer(head, path)
    is_binary = _CONTROL.search(head) is not None
    for magic, what, hint in _KINDS:
        if head.startswith(magic) and (is_binary or magic[0] not in _LETTERS):
            raise DatasetError(f"this is {what}, not a text", where=f"{path}:1", hint=hint)
    if head[257:262] == b"ustar":
        raise DatasetError("this is a tar archive", where=f"{path}:1", hint="unpack it")
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) > 1:
        raise DatasetError(
            "this is a Python pickle", where=f"{path}:1", hint="write it as JSON Lines"
        )
    if b"\0" in head and not head.startswith(_MARKS):
        _refuse_nul(head, path)


def refuse_pointer(head: bytes, path: Path) -> None:
    """Refuse what stands in place of a file: a pointer of Git LFS or git-annex, a web page.

    Raises:
        DatasetError: it is one.
    """
    if _LFS.match(head):
        size = _LFS_SIZE.search(head)
        of = f" of {int(size[1]):,} bytes" if size is not None else ""
        raise DatasetError(
            f"this is a Git LFS pointer, not the file{of} itself",
            where=f"{path}:1",
            hint="fetch the file with `git lfs pull`",
        )
    if _ANNEX.match(head):
        raise DatasetError(
            "this is a git-annex pointer, not the file itself",
            where=f"{path}:1",
            hint="fetch the file with `git annex get`",
        )
    if _PAGE.match(head) or _XML.match(head):
        what = (
            "an XML document" if _XML.match(head) and b"<html" not in head.lower() else "a web page"
        )
        raise DatasetError(
            f"this is {what}, not data",
            where=f"{path}:1",
            hint="fetch the file itself: the address gave a page, to log in or to look at it",
        )


def _refuse_nul(head: bytes, path: Path) -> None:
    """Refuse NUL bytes, which text has only in UTF-16 and UTF-32 (named if there is no mark)."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    likely = None
    if odd > 0.3 * len(head) / 2 and even < odd / 10:
        likely = "utf-16-le"
    elif even > 0.3 * len(head) / 2 and odd < even / 10:
        likely = "utf-16-be"
    if likely is not None:
        raise DatasetError(
            "this is UTF-16 without a mark (BOM)",
            where=f"{path}:1",
            hint=f"set `encoding: {likely}`",
        )
    line = head[: head.index(b"\0")].count(b"\n") + 1
    raise DatasetError(
        "this is a binary file, or a damaged text: it has NUL bytes",
        where=f"{path}:{line}",
        hint="check the path; for UTF-16 or UTF-32 without a mark, set `encoding`",
    )
