"""Which choice does an answer in words name?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from llmeval_core.hooks import without_invisible
from llmeval_metrics.choice_statements import (
    CLOSE,
    KANA,
    OPEN,
    follows_lead,
    label_index,
    mentions,
    stated,
)
from llmeval_metrics.choice_text import marked_texts, plain_text
from llmeval_metrics.letters import LETTERS

__all__ = ["LETTERS", "find_choice"]

_LONGEST_ALONE = 40
_END = rf"{CLOSE}\s?[.:,、。!]?{CLOSE}"
_LABEL_ALONE = re.compile(
    rf"(?:[-*>#]{{1,4}}\s{{1,3}})?(?i:(?:option|choice|answer|選択肢|选项|選項)\s?)?{OPEN}\s?([A-Za-z{KANA}])\s?{CLOSE}(?:番|번)?{_END}"
)
_LABEL_FIRST = re.compile(
    rf"(?:[-*>#]{{1,4}}\s)?{OPEN}([A-Z{KANA}])(?:[)\]:,、。」】*\n]|\.(?![A-Za-z]\.))"
)
_LABEL_IN_BRACKETS = re.compile(rf"(?:[(\[「【]|\*\*)([A-Z{KANA}])(?:[)\]」】]|\*\*)")
_NUMBER_ALONE = re.compile(rf"{OPEN}([0-9]{{1,3}})\s?[番번]?{_END}")
_NUMBER = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?![0-9.,]?[0-9])")
_MOST_PLACES = 50


def find_choice(text: str, choices: Sequence[str]) -> int | None:
    r"""Find which choice an answer names, by letter, text or number; None if that is not clear.

    What stands in `\boxed{}` or `<answer>` goes before everything else, the last of it first. Then,
    in this order: a label alone (`B`, `(b)`, `Ｂ`, `イ`); a choice's text alone; the last statement
    such as "the answer is B"; a label alone on the last line; a label at the beginning
    (`B. Paris`), unless other lines begin with others; the only label in brackets; the choice whose
    text follows "the answer is"; the only choice whose text occurs; a number from 1.
    """
    if not choices:
        return None
    named = [_plain(choice) for choice in choices]
    for marked in marked_texts(text):
        index = _find(plain_text(marked), named)
        if index is not None:
            return index
    return _find(plain_text(text), named)


def _find(text: str, named: Sequence[str]) -> int | None:
    if not text:
        return None
    n_choices = len(named)
    by_label = _alone(text, n_choices)
    if by_label is not None:
        return by_label
    same = [index for index, choice in enumerate(named) if choice == _plain(text)]
    if len(same) == 1:
        return same[0]
    is_stated, index = stated(text, n_choices)
    if is_stated:
        return index
    for find in (_last_line, _first, _in_brackets):
        index = find(text, n_choices)
        if index is not None:
            return index
    return _by_text(text, named)


def _by_text(text: str, named: Sequence[str]) -> int | None:
    folded = text.casefold()
    places = [(index, _places(choice, folded)) for index, choice in enumerate(named) if choice]
    found = [(index, starts) for index, starts in places if starts]
    if len(found) > 1:
        index = _said_text(folded, [(index, named[index], starts) for index, starts in found])
        if index is not None:
            return index
    alone = [
        index
        for index, _ in found
        if not any(index != other and named[index] in named[other] for other, _ in found)
    ]
    if alone:
        return alone[0] if len(alone) == 1 else None
    return _numbered(text, len(named))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", without_invisible(text)).strip().strip(".。\"'").casefold()


def _alone(text: str, n_choices: int) -> int | None:
    match = _LABEL_ALONE.fullmatch(text) if len(text) <= _LONGEST_ALONE else None
    return label_index(match[1], n_choices) if match else None


def _last_line(text: str, n_choices: int) -> int | None:
    """Read a label alone on the last line; a text that lists several so names none."""
    index = _alone(text.rpartition("\n")[2].strip(), n_choices)
    if index is None:
        return None
    alone = {_alone(line.strip(), n_choices) for line in text.split("\n")[-_MOST_PLACES:]}
    return index if alone <= {index, None} else None


def _first(text: str, n_choices: int) -> int | None:
    """Read a label at the beginning; a text that goes through all choices begins so too."""
    match = _LABEL_FIRST.match(text)
    if match is None:
        return None
    begins = (_LABEL_FIRST.match(line.strip() + "\n") for line in text.split("\n"))
    labels = {begin[1] for begin in begins if begin is not None}
    together = next((len(mention.indexes) for mention in mentions(text, n_choices)), 1)
    return label_index(match[1], n_choices) if len(labels) <= 1 and together == 1 else None


def _in_brackets(text: str, n_choices: int) -> int | None:
    found = {label_index(label, n_choices) for label in _LABEL_IN_BRACKETS.findall(text)} - {None}
    return found.pop() if len(found) == 1 else None


def _said_text(text: str, found: Sequence[tuple[int, str, Sequence[int]]]) -> int | None:
    """Find the choice that follows the last "the answer is"; the longest if several begin so."""
    said = [
        (start, len(words), index)
        for index, words, starts in found
        for start in starts
        if follows_lead(text, start)
    ]
    if not said:
        return None
    start, length, index = max(said)
    is_only = all((start, length) != one[:2] for one in said if one[2] != index)
    return index if is_only else None


def _places(words: str, text: str) -> list[int]:
    """Find where words begin in a text; the last ones if there are many."""
    places: list[int] = []
    start = text.find(words)
    while start >= 0:
        end = start + len(words)
        if not (_joined(text[start - 1 : start + 1]) or _joined(text[end - 1 : end + 1])):
            places.append(start)
        start = text.find(words, start + 1)
    return places[-_MOST_PLACES:]


def _joined(pair: str) -> bool:
    """Are these two characters of one word? Scripts without spaces never are."""
    return len(pair) == 2 and pair.isascii() and pair.isalnum()


def _numbered(text: str, n_choices: int) -> int | None:
    alone = _NUMBER_ALONE.fullmatch(text) if len(text) <= _LONGEST_ALONE else None
    if alone is not None:
        number = int(alone[1])
    else:
        numbers = [*_NUMBER.finditer(text)][-_MOST_PLACES:]
        said = (int(one[0]) for one in reversed(numbers) if follows_lead(text, one.start()))
        number = next(said, 0)
    return number - 1 if 1 <= number <= n_choices else None
