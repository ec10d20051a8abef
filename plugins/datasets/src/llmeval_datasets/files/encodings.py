"""Which encoding a text file has: by its mark, as it was set, or UTF-8; and which it may be."""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path

from llmeval_core.hooks import DatasetError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SWITCH = re.compile(rb"\x1b(?:\$[@B]|\$\([A-D]|\([JI]|\$\)[AC])")
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

# For each encoding the bytes with which its most used Chinese characters begin.
_COMMON = {
    "cp932": ("shift_jis", 0x88, 0x97),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "big5": ("big5", 0xA4, 0xC6),
}


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


def refuse_switches(head: bytes, path: Path) -> None:
    """Refuse ISO-2022, which writes all characters with ASCII bytes, so that it passes as UTF-8.

    Args:
        head: what the file begins with, as far as it is read.
        path: for errors.

    Raises:
        DatasetError: the file switches to other characters as ISO-2022 does.
    """
    found = _SWITCH.search(head)
    if found is None:
        return
    likely = "iso2022_kr" if found[0] == b"\x1b$)C" else "iso2022_jp"
    raise DatasetError(
        "this is not UTF-8 but ISO-2022, which switches between characters",
        where=f"{path}:{head[: found.start()].count(10) + 1}",
        hint=f"set `encoding: {likely}`",
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
    wrong = codecs.lookup(encoding).name
    for part in (sample, sample[newline + 1 :]):
        found = [
            (match.encoding, str(match))
            for match in from_bytes(part, cp_isolation=_LIKELY)
            if codecs.lookup(match.encoding).name != wrong
        ]
        # Few bytes fit many encodings: what has the letters of its own language goes first.
        found.sort(key=lambda each: _rank(*each))
        if found:
            return found[0][0].replace("utf_16_", "utf-16-")
    return None


def _rank(encoding: str, text: str) -> int:
    """Rank a guess: 0 if its letters can hardly be chance, 1 if they are common, 2 for others."""
    letters = [letter for letter in text if ord(letter) > 127 and letter.isalpha()]
    kana = sum("\u3041" <= letter <= "\u30fe" for letter in letters)
    hangul = sum("\uac00" <= letter <= "\ud7a3" for letter in letters)
    common = sum(_is_common(letter, encoding) for letter in letters)
    most = 0.9 * len(letters)
    if encoding == "euc_kr" and hangul > most:
        return 0
    if encoding in ("cp932", "euc_jp"):
        is_japanese = kana > 0.1 * len(letters) and kana + common > 0.8 * len(letters)
        return 0 if is_japanese else 1 if common > most else 2
    return 1 if common > most else 2


def _is_common(letter: str, encoding: str) -> bool:
    """Tell whether a Chinese character is one of the few thousand that its standard has first."""
    if encoding not in _COMMON:
        return False
    name, first, last = _COMMON[encoding]
    try:
        return first <= letter.encode(name)[0] <= last
    except UnicodeEncodeError:
        return False
