"""Tags that are only spoken of: in code, or in quotation marks of their own."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_TICKS = re.compile("`+")
_LONGEST_SPAN = 1000
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』", "«": "»"}


@dataclass(frozen=True, slots=True)
class TagMention:
    """One tag in a text; `kind` is its place in the list of tags."""

    start: int
    end: int
    kind: int
    opens: bool


def used_tags(text: str, mentions: list[TagMention]) -> list[TagMention]:
    """Leave out tags that are only spoken of."""
    blocks = _code_blocks(text) if "```" in text or "~~~" in text else []
    ends = [end for _, end in blocks]
    quoted = _quoted_pairs(text, mentions)
    used = []
    for mention in mentions:
        if mention.start in quoted:
            continue
        place = bisect_right(ends, mention.start)
        is_in_block = place < len(blocks) and blocks[place][0] < mention.start
        if not is_in_block and not _is_in_span(text, mention):
            used.append(mention)
    return used


def _quoted_pairs(text: str, mentions: list[TagMention]) -> set[int]:
    """Find tags that stand in quotation marks as a pair, in one line: `"<think>x</think>"`."""
    found: set[int] = set()
    for opening, closing in pairwise(mentions):
        if not opening.opens or closing.opens or opening.kind != closing.kind:
            continue
        before, after = (
            text[max(0, opening.start - 1) : opening.start],
            text[closing.end : closing.end + 1],
        )
        is_quoted = bool(before) and bool(after) and _QUOTES.get(before) == after
        if is_quoted and "\n" not in text[opening.end : closing.start]:
            found |= {opening.start, closing.start}
    return found


def _code_blocks(text: str) -> list[tuple[int, int]]:
    """Find the fenced blocks of code that are closed."""
    blocks: list[tuple[int, int]] = []
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opening is None:
            opening = fence
        elif fence[1].startswith(opening[1]) and not fence[2].strip():
            blocks.append((opening.start(), fence.end()))
            opening = None
    return blocks


def _is_in_span(text: str, mention: TagMention) -> bool:
    """Whether a tag stands in a code span of its line, or in quotation marks of its own."""
    before = text[max(0, mention.start - _LONGEST_SPAN) : mention.start].rpartition("\n")[2]
    after = text[mention.end : mention.end + _LONGEST_SPAN].partition("\n")[0]
    if before and after and _QUOTES.get(before[-1]) == after[0]:
        return True
    return "`" in after and len(_TICKS.findall(before)) % 2 == 1
