"""Words that multiply the number before them: 万 and 億, million and crore."""

from __future__ import annotations

import re

from llmeval_metrics.number_digits import SINGLE, read_single

_SMALL = {"十": 1e1, "百": 1e2, "千": 1e3, "십": 1e1, "백": 1e2, "천": 1e3}
_LARGE = {
    "万": 1e4, "萬": 1e4, "億": 1e8, "亿": 1e8, "兆": 1e12, "만": 1e4, "억": 1e8, "조": 1e12,
}  # fmt: skip
_HAN, _HANGUL = "十百千万萬億亿兆", "십백천만억조"
_PART = re.compile(rf"{SINGLE}|[{_HAN}{_HANGUL}]")

HAN_UNITS = (
    rf"(?:[{_HAN}]++|\s?(?!만큼)[{_HANGUL}]++)"
    rf"(?:{SINGLE}[{_HAN}]++|\s?{SINGLE}\s?[{_HANGUL}]++)*+"
    rf"(?:{SINGLE}(?![0-9.,]))?"
)
"""What follows the first number of `3万5千`, `1억 2000만`."""

WORDS = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
    "lakh": 1e5, "crore": 1e7, "millionen": 1e6, "milliarde": 1e9, "milliarden": 1e9,
    "milliard": 1e9, "millón": 1e6, "millones": 1e6,
}  # fmt: skip
WORD_UNIT = rf"(?i:{'|'.join(sorted(WORDS, key=len, reverse=True))})(?=s?(?![^\W\d_]))"


def counted(value: float, units: str) -> float:
    """Count 3 with `万5千` as 35,000: each part times its unit; 千 and less within 万 and more."""
    total = section = 0.0
    current: float | None = value
    for part in _PART.findall(units):
        if part in _SMALL:
            section += (1.0 if current is None else current) * _SMALL[part]
            current = None
        elif part in _LARGE:
            total += (section + (current or 0.0) or 1.0) * _LARGE[part]
            section, current = 0.0, None
        else:
            current = read_single(part)
    return total + section + (current or 0.0)
