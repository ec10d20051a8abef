"""Which of several languages a reader gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_MOST_LANGUAGES = 50  # of a header; more say nothing of a reader
_QUALITY = re.compile(r"q=([01](?:\.\d*)?)", re.IGNORECASE)


def choose_language(languages: Sequence[str], *wanted: str | None, accepted: str | None) -> str:
    """Return the language that fits a reader best.

    >>> choose_language(["en", "ja"], None, accepted="de, ja-JP;q=0.8, en;q=0.5")
    'ja'

    Args:
        languages: what there is, such as `en` and `pt-br`, in small letters; the first one is for
            those who want none of them.
        wanted: what the reader chose, in order of weight: a parameter of the address, a cookie.
            What is missing, unknown or nonsense is passed over.
        accepted: the header `Accept-Language` (RFC 9110, 12.5.4); `ja-JP` is content with `ja`.
    """
    for code in wanted:
        if code and (found := _lookup(code.strip().lower(), languages)):
            return found
    ranges = dict(_ranges(accepted or ""))
    for code in sorted(ranges, key=lambda code: -ranges[code]):
        if ranges[code] <= 0:
            break
        if code == "*":
            found = next((one for one in languages if ranges.get(one, 1.0) > 0), None)
        else:
            found = _lookup(code, languages)
        if found:
            return found
    return languages[0]


def _lookup(code: str, languages: Sequence[str]) -> str | None:
    """Find a language, else the one without its region, and so on (RFC 4647, 3.4)."""
    while code:
        if code in languages:
            return code
        code = code.rpartition("-")[0]
    return None


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """Read the languages of the header and how much each is wanted, from 0 to 1."""
    for part in header.split(",", _MOST_LANGUAGES)[:_MOST_LANGUAGES]:
        code, _, parameter = part.partition(";")
        code, parameter = code.strip().lower(), parameter.strip()
        if not code:
            continue
        quality = _QUALITY.fullmatch(parameter)
        if quality is not None:
            yield code, min(1.0, float(quality[1]))
        elif not parameter:
            yield code, 1.0
