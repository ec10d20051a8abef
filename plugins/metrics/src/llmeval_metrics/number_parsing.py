"""Which number does an answer end with?"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass

from llmeval_core.hooks import boxed_texts
from llmeval_metrics.number_digits import SINGLE, read_chain, read_single
from llmeval_metrics.number_signs import CASED_LETTER, is_negative
from llmeval_metrics.number_text import as_formula, plain_numbers
from llmeval_metrics.number_units import HAN_UNITS, WORD_UNIT, WORDS, counted


def _exponent(name: str) -> str:
    return rf"\^\{{(?P<{name}>[-+−]?\s?[0-9]{{1,4}})\s?\}}"


def _argument_of_frac(name: str) -> str:
    sign, number = rf"(?P<{name}_sign>[-+−]?)", rf"(?P<{name}>{SINGLE})"
    return rf"\s*+(?:\{{\s*+{sign}\s*+{number}\s*+\}}|(?P<{name}_digit>[0-9]))"


_CHAIN = r"[0-9]++(?:[.,' _][0-9]++)*+"
_FRAC = rf"\\frac{_argument_of_frac('over')}{_argument_of_frac('under')}"
_SUFFIXES = (
    rf"[ ]*+[×xX*·][ ]*+10[ ]*+(?:{_exponent('ten')}|\*\*(?P<ten_python>[-+]?[0-9]{{1,4}}))",
    _exponent("power"),
    r"[eE](?P<e>[-+−]?[0-9]{1,4})(?![0-9A-Za-z])",
    rf"\s*+/\s*+(?P<divisor>{SINGLE})(?!\s*+/\s*+[0-9])",
    rf"と(?P<mixed_under>{SINGLE})分の(?P<mixed_over>{SINGLE})",
    rf"(?P<units>{HAN_UNITS})?分の(?P<part>{SINGLE})",
    rf"(?P<counted>{HAN_UNITS})",
    rf"[ -]?(?P<word>{WORD_UNIT})",
)
_ITEM = re.compile(
    rf"(?=[0-9.\\])(?:(?:(?P<whole>{_CHAIN})\s*+)?{_FRAC}"
    rf"|(?P<point>(?<![0-9A-Za-z.)])\.)?(?P<chain>{_CHAIN})(?:{'|'.join(_SUFFIXES)})?)"
)
_DIGIT = re.compile(r"[\d¹²³¼½¾\u2070-\u2079\u2150-\u215f\u2189\u2460-\u24ff\u3200-\u33ff]")
_MARKED = re.compile(r"(?<!#)####(?!#)[ \t]*+([^\n]*+)")
_MINUS_BEFORE_BOX = re.compile(r"(?<![\w)\]}])[-−–]\s?\\{1,2}boxed\s?\{")
_HEADING = re.compile(r"[0-9]{1,2}[.):]\s+\S")
_CODES = frozenset(("USD", "EUR", "JPY", "GBP", "CNY", "RMB", "INR", "KRW", "CHF", "AUD", "CAD"))
_MOST_TRIED = 50


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was read.

    Args:
        value: the number; infinite or NaN if it is beyond floats, or divided by zero.
        digits: its digits with the sign if it is written as a whole number, which may have more
            of them than a float; None otherwise.
    """

    value: float
    digits: str | None = None


def last_number(text: str) -> float | None:
    """Find the number that a text ends with; None if there is none. See `find_number`."""
    number = find_number(text)
    return None if number is None else number.value


def find_number(text: str) -> Number | None:
    r"""Find the number after GSM8K's `####`, in the last `\boxed{}` with one, or else the last.

    docs/metrics.md says what is read as a number, and how what is ambiguous is read. None also for
    a number beyond floats, and for a quotient by zero.
    """
    number = _marked(text) if "####" in text else None
    if number is None and "box" in text:
        boxes = reversed(boxed_texts(_MINUS_BEFORE_BOX.sub(r"\\boxed{-", text)))
        number = next(
            (found for box in boxes if (found := _last(as_formula(box))) is not None), None
        )
    if number is None:
        number = _last(text)
    return number if number is not None and math.isfinite(number.value) else None


def _marked(text: str) -> Number | None:
    """Read the first number after `####`, which also begins headings: `#### 1. Let us see`."""
    for line in _MARKED.findall(text):
        plain = plain_numbers(line).strip()
        first = _ITEM.search(plain) if not _HEADING.match(plain) else None
        if first is not None and not any(map(str.isalnum, plain[: first.start()])):
            return _read(first)
    return None


def _last(text: str) -> Number | None:
    """Read the last number; one that stands right behind a letter only if there is no other."""
    glued: list[re.Match[str]] = []
    for line in reversed(text.split("\n")):
        if not _DIGIT.search(line):
            continue
        items = deque(_ITEM.finditer(plain_numbers(line)), maxlen=_MOST_TRIED)
        for item in reversed(items):
            if _is_glued(item):
                glued.append(item)
            elif (number := _read(item)) is not None:
                return number
    return next((number for item in glued if (number := _read(item)) is not None), None)


def _is_glued(item: re.Match[str]) -> bool:
    """Does the number stand right behind a letter that is not the end of a currency's code?"""
    start = item.start()
    before = item.string[max(0, start - 3) : start]
    return CASED_LETTER.fullmatch(before[-1:]) is not None and before not in _CODES


def _read(item: re.Match[str]) -> Number | None:
    """Read a number, or None if it is none, such as the `1.2.3` of a version."""
    read = _fraction(item) if item["chain"] is None else _number(item)
    if read is None or not is_negative(item.string, item.start()):
        return read
    return Number(-read.value, f"-{read.digits}" if read.digits else None)


def _fraction(item: re.Match[str]) -> Number | None:
    r"""Read `\frac{1}{2}`, with a whole number before it perhaps."""
    quotient = _quotient(_argument(item, "over"), _argument(item, "under"))
    whole = read_chain(item["whole"]) if item["whole"] else None
    if whole is None or not 0 <= quotient < 1:
        return Number(quotient)
    return Number(whole[0] + quotient)


def _argument(item: re.Match[str], name: str) -> float:
    value = read_single(item[name] or item[f"{name}_digit"])
    return -value if item[f"{name}_sign"] in ("-", "−") else value


def _number(item: re.Match[str]) -> Number | None:
    """Read digits and what follows them."""
    chain = item["chain"] if item["point"] is None else f"0.{item['chain']}"
    if item["divisor"] is not None:
        return _divided(item, chain)
    units = item["units"] or item["counted"]
    exponent = item["ten"] or item["ten_python"] or item["e"]
    is_amount = bool(units or exponent or item["word"])
    read = read_chain(chain, item.string, item.end("chain"), is_amount=is_amount)
    if read is None or not (is_amount or item["part"] or item["mixed_under"] or item["power"]):
        return None if read is None else Number(*read)
    value = read[0] if units is None else counted(read[0], units)
    if item["part"] is not None:
        value = _quotient(read_single(item["part"]), value)
    elif item["mixed_under"] is not None:
        value += _quotient(read_single(item["mixed_over"]), read_single(item["mixed_under"]))
    elif item["word"] is not None:
        value *= WORDS[item["word"].lower()]
    elif exponent is not None:
        value *= _to_the(10.0, exponent)
    elif item["power"] is not None:
        value = _to_the(value, item["power"])
    return Number(value)


def _divided(item: re.Match[str], chain: str) -> Number | None:
    """Read `3/4`, `2 1/2`; of a date, `1/2/2024`, what stands last."""
    under = read_single(item["divisor"])
    if item.string[: item.start()].rstrip()[-1:] == "/":
        return Number(under)
    whole, _, numerator = chain.rpartition(" ")
    over = read_chain(numerator)
    if over is None:
        return None
    quotient = _quotient(over[0], under)
    mixed = read_chain(whole) if whole and 0 < quotient < 1 else None
    return Number(quotient if mixed is None or mixed[1] is None else mixed[0] + quotient)


def _quotient(over: float, under: float) -> float:
    return over / under if under else math.nan


def _to_the(base: float, exponent: str) -> float:
    try:
        return float(base ** int(exponent.replace("−", "-").replace(" ", "")))
    except (OverflowError, ZeroDivisionError):
        return math.nan
