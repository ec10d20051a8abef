"""Digits with separators: which number do `1,234.5`, `1.234,5` and `1 00 000` stand for?"""

from __future__ import annotations

import re

SINGLE = r"[0-9]++(?:,[0-9]{3})*+(?:\.[0-9]++)?"
"""A number with its separators in English, where nothing else can be meant."""

_PLAIN = re.compile(r"[0-9]++(?:\.[0-9]++)?")
_ENGLISH = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})++(?:\.[0-9]++)?")
_INDIAN = re.compile(r"[1-9][0-9]?(?:,[0-9]{2}(?![0-9]))++,[0-9]{3}(?:\.[0-9]++)?")
_POINTS = re.compile(r"[1-9][0-9]{0,2}(?:(?:\.[0-9]{3}){2,}|(?:\.[0-9]{3})++,[0-9]++)")
_GROUPS = re.compile(r"[1-9][0-9]{0,2}([ '_])[0-9]{3}(?:\1[0-9]{3})*+(?:[.,][0-9]++)?")
_SURE_COMMA = re.compile(r"0,[0-9]++|[0-9]++,[0-9]{4,}")
_COMMA = re.compile(r"[0-9]++,[0-9]{1,2}")
_LIST_SEPARATORS = " _',"
_VERSION = re.compile(r"[0-9]++(?:\.[0-9]++){2,}")

_UNIT = re.compile(r"\s?(?:[%‰°]|(?!(?:and|or|und|oder|et|ou|y|o|e|и|или)\b)[^\W\d_])")
_COPULA = re.compile(
    r"(?:^|\W)(?i:ist|sind|beträgt|macht|est|sont|vaut|es|son|vale|è|é|är|равен|равно)\s+-?\Z"
)

Read = tuple[float, str | None]
"""A number, and its digits if it is written as a whole one."""


def read_chain(chain: str, text: str = "", end: int = 0, *, is_amount: bool = False) -> Read | None:
    """Read digits between which separators stand; of a list the last item.

    Args:
        chain: digits, with one of ` _',.` between them.
        text: what it stands in; what is around it tells a decimal comma from that of a list.
        end: where it ends there.
        is_amount: whether a unit or a power of ten follows, so that it is no list.

    Returns:
        None for what is no number, such as a version or a date with points.
    """
    is_amount = is_amount or _is_measured(text, end - len(chain), end)
    digits = _without_separators(chain, is_amount=is_amount)
    if digits is not None:
        return float(digits), None if "." in digits else digits.lstrip("0") or "0"
    separator = next((one for one in _LIST_SEPARATORS if one in chain), None)
    if separator is None or _VERSION.fullmatch(chain):
        return None
    return read_chain(chain.rpartition(separator)[2], text, end, is_amount=is_amount)


def _without_separators(chain: str, *, is_amount: bool) -> str | None:
    """Write one number with digits and a point alone; None if it is no number, or several."""
    if _PLAIN.fullmatch(chain):
        return chain
    if _ENGLISH.fullmatch(chain) or _INDIAN.fullmatch(chain):
        return chain.replace(",", "")
    if _POINTS.fullmatch(chain):
        return chain.replace(".", "").replace(",", ".")
    groups = _GROUPS.fullmatch(chain)
    if groups is not None:
        return chain.replace(groups[1], "").replace(",", ".")
    if _SURE_COMMA.fullmatch(chain) or (is_amount and _COMMA.fullmatch(chain)):
        return chain.replace(",", ".")
    return None


def read_single(text: str) -> float:
    """Read what `SINGLE` matches."""
    return float(text.replace(",", ""))


def _is_measured(text: str, start: int, end: int) -> bool:
    """Does a unit behind the digits, or a verb before them, say that they are one number?"""
    if "," not in text[start:end]:
        return False
    return bool(_UNIT.match(text, end) or _COPULA.search(text[max(0, start - 12) : start]))
