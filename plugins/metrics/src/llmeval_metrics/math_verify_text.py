"""What math-verify is given: it looks for formulas between `$`, which answers often lack."""

from __future__ import annotations

import re

_LONGEST_WORDS = 60
_DELIMITED = re.compile(r"\$|\\[(\[]|\\(?:boxed|fbox|begin\{(?:equation|align|math|displaymath))")
_SPACED_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|\\[,;:!]|,\\!|\{\\,\})(?=\d{3}(?!\d))")
_NOT_WORDS = re.compile(r"\\(?:text|mathrm|textbf|operatorname|mbox)\s*\{[^{}]*\}|\\[A-Za-z]+")
_WORD = re.compile(r"(?<![^\W\d_])[A-Za-z]{2,}(?![^\W\d_])")
_FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan log ln lg exp lim max min gcd lcm mod".split()  # noqa: SIM905  a list of words
)
_WORDS_ONLY = re.compile(r"[A-Za-z][A-Za-z' -]*")
_LONGEST_PRODUCT = 3


def with_delimiters(text: str) -> str:
    r"""Put a formula that stands bare into `$...$`, and a bare word into `$\text{...}$`.

    `\frac{1}{2}`, `x^2+1` and `(1,2)` are formulas, `Evelyn` is a word. Sentences, and texts with
    delimiters of their own, stay as they are, but for separators of thousands: `2\,000` is 2000.
    Of GSM8K's solutions, what stands behind `####` counts.
    """
    text = _SPACED_THOUSANDS.sub("", text).strip()
    if "####" in text:
        text = text.rpartition("####")[2].strip()
    if not text or "\n" in text or _DELIMITED.search(text.replace("\\$", "")):
        return text
    if _is_word(text):
        return rf"$\text{{{text}}}$" if len(text) <= _LONGEST_WORDS else text
    words = _WORD.findall(_NOT_WORDS.sub(" ", text))
    long = [word for word in words if word not in _FUNCTIONS and _is_long(word, text)]
    return text if long else f"${text}$"


def _is_word(text: str) -> bool:
    """Is it words alone, and not a product of letters such as `xy`?"""
    if not _WORDS_ONLY.fullmatch(text):
        return False
    return len(text) > _LONGEST_PRODUCT or not text.islower()


def _is_long(word: str, text: str) -> bool:
    """Is it a word of a sentence, or a unit, rather than a product of letters?"""
    return len(word) > _LONGEST_PRODUCT or f" {word}" in text or f"{word} " in text
