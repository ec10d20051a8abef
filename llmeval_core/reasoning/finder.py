"""Finding reasoning between tags, wherever they stand in a text."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping

from llmeval_core.naming import Json
from llmeval_core.reasoning.formats import split_by_channels, split_by_phrases
from llmeval_core.reasoning.mentions import TagMention, used_tags
from llmeval_core.reasoning.split import ReasoningSplit, strip_answer_markers
from llmeval_core.records import Generation

Tags = tuple[tuple[str, str], ...]
"""Pairs of an opening and a closing tag."""

KNOWN_TAGS: Tags = (
    ("<think>", "</think>"),  # DeepSeek, Qwen, QwQ, GLM, MiniMax, Nemotron, Phi, Kimi K2, ...
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),  # EXAONE Deep, Gemini's OpenAI-compatible endpoint
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),  # Reka, GRPO recipes
    ("<seed:think>", "</seed:think>"),  # Seed-OSS
    ("[THINK]", "[/THINK]"),  # Magistral
    ("◁think▷", "◁/think▷"),  # Kimi-VL, Kimi K1.5
    ("<|channel>thought", "<channel|>"),  # Gemma 4
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A Reasoning
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # OpenThinker, Sky-T1
    ("<longcat_think>", "</longcat_think>"),  # LongCat Flash Thinking
    ("<unused94>thought", "<unused95>"),  # MedGemma
    ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
)
"""The tags that are looked for where no others are set."""

_MIXED_UP = {1: 0}
"""Models end `<thinking>` with `</think>`."""
_MAY_BEGIN_SO = re.compile(r"\s*Here(?:'s| is| are) my|analysis(?:\w|\s*\n)")
_XML = re.compile(r"<([A-Za-z][\w:.-]*)>")


def tags_in(settings: Mapping[str, Json]) -> Tags | None:
    """Read the tags from what a result keeps of its settings (`TaskResult.settings`)."""
    tags = settings.get("reasoning_tags")
    if not isinstance(tags, list):
        return None
    pairs = (tag for tag in tags if isinstance(tag, list) and len(tag) == 2)
    return tuple((str(opening), str(closing)) for opening, closing in pairs)


def reasoning_finder(settings: Mapping[str, Json]) -> ReasoningFinder:
    """Make the finder of a task from what its result keeps of its settings."""
    return ReasoningFinder(tags_in(settings))


def split_answers(generation: Generation, finder: ReasoningFinder) -> list[ReasoningSplit]:
    """Split each answer of a generation from its reasoning, wherever that is.

    It may be in the text, between tags, or in `reasonings`, where the server tells it apart.
    """
    splits = []
    for place, text in enumerate(generation.texts):
        is_cut_off = generation.reason(place) == "length"
        found = finder.split(text, is_cut_off=is_cut_off) or ReasoningSplit(text, "")
        separate = generation.reasonings[place] if place < len(generation.reasonings) else None
        reasoning = "\n".join(part for part in (separate, found.reasoning) if part)
        splits.append(ReasoningSplit(found.answer, reasoning, found.is_open))
    return splits


class ReasoningFinder:
    """Tells reasoning apart in texts.

    Args:
        tags: what to look for instead of everything that is known; empty for nothing.
    """

    def __init__(self, tags: Tags | None = None) -> None:
        self._knows_all = tags is None
        self._kinds = _MIXED_UP if tags is None else {}
        pairs = KNOWN_TAGS if tags is None else tags
        parts = [part for kind, pair in enumerate(pairs) for part in _patterns(kind, *pair)]
        firsts = "".join(sorted({re.escape(tag[0]) for pair in pairs for tag in pair}))
        self._first = re.compile(f"[{firsts}]" if pairs else r"\Z.", re.IGNORECASE)
        self._tag = re.compile("|".join(parts) or r"\Z.", re.IGNORECASE)

    def may_have(self, text: str) -> bool:
        """Whether a text can have reasoning; quick, and False for most texts that have none."""
        if not self._knows_all:
            return self._first.search(text) is not None
        return "<" in text or "[" in text or "◁" in text or _MAY_BEGIN_SO.match(text) is not None

    def split(self, text: str, *, is_cut_off: bool = False) -> ReasoningSplit | None:
        """Tell reasoning apart; None if the text has none.

        Args:
            text: an answer as the model gave it.
            is_cut_off: whether it ended at a limit; then a thought that a phrase began may be
                still open.
        """
        if not self.may_have(text):
            return None
        if self._knows_all:
            found = split_by_channels(text, is_cut_off=is_cut_off) or split_by_phrases(
                text, is_cut_off=is_cut_off
            )
            if found is not None:
                return found
        mentions = self._mentions(text)
        if not mentions:
            return None
        really = used_tags(text, mentions)
        found = _split_by_tags(text, really) if really else None
        if found is not None and found.is_open and len(really) < len(mentions):
            # A code block that a thought left open may have swallowed the tag that ends it.
            closed = _split_by_tags(text, mentions)
            return found if closed.is_open else closed
        return found

    def _mentions(self, text: str) -> list[TagMention]:
        """Find the tags; looks closely only where a tag can begin, which is much faster."""
        mentions: list[TagMention] = []
        end = 0
        for first in self._first.finditer(text):
            found = self._tag.match(text, first.start()) if first.start() >= end else None
            if found is not None:
                mentions.append(self._mention(found))
                end = found.end()
        return mentions

    def _mention(self, found: re.Match[str]) -> TagMention:
        group = str(found.lastgroup)
        kind = int(group[1:])
        return TagMention(found.start(), found.end(), self._kinds.get(kind, kind), group[0] == "o")


def _patterns(kind: int, opening: str, closing: str) -> Iterator[str]:
    """Write the pair as named groups; what looks like XML may have attributes and spaces."""
    xml = _XML.fullmatch(opening)
    if xml is None or closing != f"</{xml[1]}>":
        yield f"(?P<c{kind}>{re.escape(closing)})"
        yield f"(?P<o{kind}>{re.escape(opening)})"
        return
    name = re.escape(xml[1])
    yield rf"(?P<c{kind}><\s*/\s*{name}\s*>|<\s*{name}(?:\s[^<>]*)?/\s*>)"
    yield rf"(?P<o{kind}><\s*{name}(?:\s[^<>]*)?>)"


def _split_by_tags(text: str, mentions: list[TagMention]) -> ReasoningSplit:
    """Go through the tags in order, with those that are open.

    A closing tag whose kind is not open ends a thought that the prompt began; inside a thought
    that the text itself began at its very beginning it is only spoken of.
    """
    open_tags: list[TagMention] = []
    thoughts: list[tuple[int, int]] = []
    for mention in mentions:
        kinds = [one.kind for one in open_tags]
        begin = open_tags[0].start if open_tags else mention.start
        if mention.opens:
            if mention.kind not in kinds:
                open_tags.append(mention)
        elif mention.kind in kinds:
            del open_tags[kinds.index(mention.kind) :]
            if not open_tags:
                thoughts.append((begin, mention.end))
        elif open_tags and not text[:begin].strip():
            continue
        else:
            open_tags.clear()
            thoughts = [(0, mention.end)]
    is_open = bool(open_tags)
    if open_tags:
        thoughts.append((open_tags[0].start, len(text)))
    begin, end = _answer_place(text, thoughts)
    parts = [_without_tags(text, *place, mentions) for place in ((0, begin), (end, len(text)))]
    return ReasoningSplit(
        strip_answer_markers(text[begin:end], is_last=end == len(text)),
        "\n".join(part for part in parts if part),
        is_open,
    )


def _answer_place(text: str, thoughts: list[tuple[int, int]]) -> tuple[int, int]:
    """Find the answer: what follows the last thought, or stands before it if nothing does."""
    end = len(text)
    for start, stop in reversed(thoughts):
        if text[stop:end].strip():
            return stop, end
        end = start
    return (0, end) if text[:end].strip() else (len(text), len(text))


def _without_tags(text: str, start: int, end: int, mentions: list[TagMention]) -> str:
    """Take white space and tags off the ends of a thought, a part of a text."""
    inside = deque(one for one in mentions if start <= one.start and one.end <= end)
    while True:
        while start < end and text[start].isspace():
            start += 1
        if not inside or inside[0].start != start:
            break
        start = inside.popleft().end
    while True:
        while start < end and text[end - 1].isspace():
            end -= 1
        if not inside or inside[-1].end != end:
            break
        end = inside.pop().start
    return text[start:end]
