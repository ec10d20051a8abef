"""Which encoding a text file has: by its mark, as it was set, or UTF-8; and which it may be."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from llmeval_core.hooks import DatasetError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 18
_SAMPLE_BYTES = 1 << 16
_LIKELY = [
    "cp932",
    "euc_jp",
    "utf_16_le",
    "utf_16_be",
    "gb18030",
    "big5",
    "euc_kr",
    "cp1252",
    "cp1251",
]


def encoding_of(head: bytes, encoding: str | None, path: Path) -> str:
    """Return how a file is decoded.

    Args:
        head: its first bytes.
        encoding: what was set; None if nothing was.
        path: for errors.

    Raises:
        DatasetError: its mark (BOM) says something else than was set.
    """
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if encoding is None:
        return marked or "utf-8"
    plain = encoding.replace("_", "-").lower()
    if marked is None:
        return encoding
    if plain.startswith(marked.removesuffix("-sig")):
        return marked
    raise DatasetError(
        f"the file begins with the mark (BOM) of {marked.removesuffix('-sig').upper()}, "
        f"`encoding` says {encoding}",
        where=f"{path}:1",
        hint="leave `encoding` out",
    )


def wrong_encoding(file: io.BufferedReader, encoding: str, path: Path) -> DatasetError:
    """Say on which line a file cannot be decoded, and which encoding it probably has.

    Args:
        file: the file, from its beginning.
        encoding: what does not fit.
        path: for errors.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line, kept, reason = 1, b"", "its end is cut off"
    while True:
        block = file.read(_BLOCK)
        kept = (kept + block)[-2 * _BLOCK :]
        try:
            line += decoder.decode(block, final=not block).count("\n")
        except UnicodeDecodeError as err:
            done = bytes(err.object)[: err.start].decode(encoding, "replace")
            line += done.count("\n")
            reason = f"byte 0x{bytes(err.object)[err.start]:02x}, {err.reason}"
            break
        if not block:
            break
    likely = _likely(kept[-_SAMPLE_BYTES:] if len(kept) > _SAMPLE_BYTES else kept, encoding)
    said = encoding.removesuffix("-sig")
    hint = f"it is probably {likely}: set `encoding: {likely}`" if likely else None
    return DatasetError(
        f"the text is not {said} ({reason})",
        where=f"{path}:{line}",
        hint=hint or "set `encoding`, such as cp932, euc_jp, utf-16 or latin-1",
    )


def _likely(sample: bytes, encoding: str) -> str | None:
    """Guess an encoding for a hint; None if nothing fits."""
    from charset_normalizer import from_bytes  # noqa: PLC0415  only where reading failed

    newline = sample.find(b"\n")
    for part in (sample, sample[newline + 1 :]):
        for match in from_bytes(part, cp_isolation=_LIKELY):
            name = match.encoding.replace("_", "-") if "utf" in match.encoding else match.encoding
            if codecs.lookup(name).name != codecs.lookup(encoding).name:
                return name
    return None
