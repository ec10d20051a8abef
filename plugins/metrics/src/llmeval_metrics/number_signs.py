"""Is the dash before a number its sign, or does it stand between two things?"""

from __future__ import annotations

import re

CASED_LETTER = re.compile("[A-Za-z_À-ÖØ-öø-ɏͰ-ϿЀ-ԯԱ-և\u1e00-\u1fff]")
"""A letter of a script that joins words by hyphens."""

_MINUS = "-−"
_OPENS = "=:({[<>≈≃≅≤≥≠~→⇒"
_AFTER_COUNTER = re.compile(r"[0-9]\s?([^\W\d_]{1,3}|[%°]C?)\Z")
_PARTICLE = re.compile(r"(?:[\u3041-\u3063\u3065-\u3096]|[은는때면])\Z")
_VERBS = "is|are|was|be|equals|gives|ist|sind|war|beträgt|est|sont|fait|es|son|vale|è|é"
_SAID = re.compile(rf"(?:(?<![^\W\d_])(?i:{_VERBS})|[はが是为為은는])\Z")
_WORD = re.compile(
    rf"(?:\A|[^\w\s)\]}}]|(?<![^\W\d_])(?i:{_VERBS}|of|to|at|about|around|approximately|etwa|de))\s*"
    r"(?i:minus|moins|menos|meno)\s*\Z"
    r"|(?<![^\W\d_])(?i:negative)\s*\Z"
    r"|(?<![0-9)])\s?(?:マイナス|負の|負|负|마이너스|零下|氷点下|영하)\s?\Z"
)
_LONGEST_WORD = 30


def is_negative(text: str, start: int) -> bool:
    """Has the number that begins at `start` a minus sign?

    A dash is a sign unless it follows a digit, a closing bracket, or a letter of a script that
    joins words by hyphens: `10-20`, `f(x)-5` and `A-5` have none, `答えは-5` has one. A range of
    counted things, `3円-5円`, has none. With a space behind it, a dash is a sign only behind `=`,
    `:`, a verb and the like: at the beginning of a line it marks an item of a list, and elsewhere
    it subtracts.
    """
    before = text[max(0, start - _LONGEST_WORD) : start]
    if before[-1:] in _MINUS and before:
        return _is_sign(text, start - 1)
    bare = before.rstrip(" ")
    if bare[-1:] in _MINUS and bare and len(bare) < len(before):
        dash = start - len(before) + len(bare) - 1
        left = text[max(0, dash - _LONGEST_WORD) : dash].rstrip(" ")
        if not left or left[-1] == "\n":
            return bare[-1] == "−"
        return left[-1] in _OPENS or _SAID.search(left) is not None
    return bool(_WORD.search(before))


def _is_sign(text: str, dash: int) -> bool:
    """Is a dash right before a number its sign?"""
    if dash == 0:
        return True
    left = text[max(0, dash - 6) : dash]
    last = left[-1]
    if last.isdigit() or last in "]}" or CASED_LETTER.match(last):
        return False
    if last == ")":
        return len(left) > 1 and left[-2].isalpha() and not CASED_LETTER.match(left[-2])
    if last in "%°" or last.isalpha():
        return not _AFTER_COUNTER.search(left) or bool(_PARTICLE.search(left))
    return True
