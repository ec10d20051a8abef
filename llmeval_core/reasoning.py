"""Reasoning told apart from the answer: what stands between tags in a text is a thought.

Where a server tells reasoning apart itself (`Generation.reasonings`), nothing is left to do here.
Others send it in the text, in one of these forms:

* `<think>...</think>` and the like, with attributes, spaces and in any case of letters; also
  without the opening tag, because many chat templates put that into the prompt; several times;
  one in another.
* never closed: the model was still thinking when it ended, and from the tag on there is no answer.
* channels (gpt-oss): only the last `final` channel is the answer.
* phrases (Granite, Apriel): `Here is my thought process:`, at the very beginning only.

The rule: everything up to the last closing tag is reasoning, and so is everything from a tag that
is never closed. A tag in a code span, in a closed code block or in quotation marks is spoken of,
not used, unless a thought would be open to the end without it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

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
)
"""The tags that are looked for where no others are set."""

_MAY_BE_KNOWN = re.compile("[<[◁]|assistantfinal|Here(?:'s| is| are) my")
_XML = re.compile(r"<([A-Za-z][\w:.-]*)>")
_CHANNEL = re.compile(
    r"(?:<\|channel\|>\s*)?(analysis|commentary|final)\b[^<\n]{0,100}"
    r"(?:<\|constrain\|>[^<\n]{0,100})?<\|message\|>"
)
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start)\|>")
_BARE_CHANNEL = re.compile(r"assistant\s*final")
_PHRASES = (
    (r"\s*Here(?:'s| is) my thought process:", r"Here(?:'s| is) my response:"),  # Granite 3
    (r"\s*Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
)
_ANSWER_HEADS = re.compile(
    r"\s*(?:<\|START_RESPONSE\|>|<\|START_TEXT\|>|<\|begin_of_solution\|>|\[BEGIN FINAL RESPONSE\])"
)
_ANSWER_TAILS = re.compile(
    r"(?:(?:<\|END_RESPONSE\|>|<\|END_TEXT\|>|<\|end_of_solution\|>|\[END FINAL RESPONSE\]"
    r"|<\|end\|>|<\|return\|>)\s*){1,3}\Z"
)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_TICKS = re.compile("`+")
_LONGEST_SPAN = 1000
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』", "«": "»"}


@dataclass(frozen=True, slots=True)
class Parted:
    """A text with its reasoning told apart.

    Args:
        answer: what is left without it; empty if nothing is.
        reasoning: the thoughts, without the tags at their ends.
        is_open: whether the last thought never ended, so that no answer follows it.
    """

    answer: str
    reasoning: str
    is_open: bool = False


def parted_answers(generation: Generation, finder: ReasoningFinder) -> list[Parted]:
    """Give each answer of a generation with its reasoning, wherever that stood."""
    parted = []
    for place, text in enumerate(generation.texts):
        found = finder.part(text) or Parted(text, "")
        told = generation.reasonings[place] if place < len(generation.reasonings) else None
        thoughts = "\n".join(thought for thought in (told, found.reasoning) if thought)
        parted.append(Parted(found.answer, thoughts, found.is_open))
    return parted


@dataclass(frozen=True, slots=True)
class _Mark:
    """One tag in a text; `kind` is its place in the list of tags."""

    start: int
    end: int
    kind: int
    opens: bool


class ReasoningFinder:
    """Tells reasoning apart in texts.

    Args:
        tags: what to look for instead of everything that is known; empty for nothing.
    """

    def __init__(self, tags: Tags | None = None) -> None:
        self._knows_all = tags is None
        pairs = KNOWN_TAGS if tags is None else tags
        parts = [part for kind, pair in enumerate(pairs) for part in _patterns(kind, *pair)]
        firsts = "".join(sorted({re.escape(tag[0]) for pair in pairs for tag in pair}))
        self._first = re.compile(f"[{firsts}]" if pairs else r"\Z.", re.IGNORECASE)
        self._tag = re.compile("|".join(parts) or r"\Z.", re.IGNORECASE)

    def part(self, text: str, *, is_cut_off: bool = False) -> Parted | None:
        """Tell reasoning apart; None if the text has none.

        Args:
            text: an answer as the model gave it.
            is_cut_off: whether it ended at a limit; then a thought that a phrase began may be
                still open.
        """
        if self._knows_all:
            if _MAY_BE_KNOWN.search(text) is None:
                return None
            parted = _by_channels(text) or _by_phrases(text, is_cut_off=is_cut_off)
            if parted is not None:
                return parted
        marks = self._marks(text)
        if not marks:
            return None
        used = _used(text, marks)
        parted = _by_marks(text, used) if used else None
        if parted is not None and parted.is_open and len(used) < len(marks):
            # A code block that a thought left open may have swallowed the tag that ends it.
            closed = _by_marks(text, marks)
            return parted if closed.is_open else closed
        return parted

    def _marks(self, text: str) -> list[_Mark]:
        """Find the tags; looks closely only where a tag can begin, which is much faster."""
        marks: list[_Mark] = []
        end = 0
        for first in self._first.finditer(text):
            found = self._tag.match(text, first.start()) if first.start() >= end else None
            if found is not None:
                marks.append(_to_mark(found))
                end = found.end()
        return marks


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


def _to_mark(match: re.Match[str]) -> _Mark:
    group = str(match.lastgroup)
    return _Mark(match.start(), match.end(), int(group[1:]), group[0] == "o")


def _by_marks(text: str, marks: list[_Mark]) -> Parted:
    """Go through the tags in order, with those that are open.

    A closing tag whose kind is not open ends a thought that the prompt began; inside a thought
    that the text itself began at its very beginning it is only spoken of.
    """
    under_way: list[_Mark] = []
    begin = 0
    for mark in marks:
        kinds = [one.kind for one in under_way]
        if mark.opens:
            if mark.kind not in kinds:
                under_way.append(mark)
        elif mark.kind in kinds:
            del under_way[kinds.index(mark.kind) :]
        elif under_way and _is_sibling(under_way[0], mark):
            under_way.clear()
        elif under_way and not text[: under_way[0].start].strip():
            continue
        else:
            under_way.clear()
        if not under_way:
            begin = mark.end
    end = under_way[0].start if under_way else len(text)
    reasoning = [text[:begin], text[under_way[0].end :] if under_way else ""]
    thoughts = "\n".join(thought for part in reasoning if (thought := _bare(part, marks, text)))
    return Parted(_answer(text[begin:end], is_open=bool(under_way)), thoughts, bool(under_way))


def _is_sibling(opening: _Mark, closing: _Mark) -> bool:
    """Whether models mix these up: `<thinking>` that `</think>` ends."""
    return {opening.kind, closing.kind} == {0, 1}


def _bare(part: str, marks: list[_Mark], text: str) -> str:
    """Take the tags off the ends of a thought."""
    for mark in marks:
        tag = text[mark.start : mark.end]
        part = part.strip().removeprefix(tag).removesuffix(tag)
    return part.strip()


def _answer(text: str, *, is_open: bool = False) -> str:
    """Take off what stands around an answer; the indentation of its first line stays."""
    head = _ANSWER_HEADS.match(text)
    if head is not None:
        text = text[head.end() :]
    text = _ANSWER_TAILS.sub("", text)
    left = text.lstrip()
    space = text[: len(text) - len(left)]
    text = space.rpartition("\n")[2] + left if "\n" in space else left
    return text.rstrip() if is_open or not left else text


def _used(text: str, marks: list[_Mark]) -> list[_Mark]:
    """Leave out tags that are only spoken of."""
    blocks = _code_blocks(text) if "```" in text or "~~~" in text else []
    ends = [end for _, end in blocks]
    used = []
    for mark in marks:
        place = bisect_right(ends, mark.start)
        is_in_block = place < len(blocks) and blocks[place][0] < mark.start
        if not is_in_block and not _is_in_span(text, mark):
            used.append(mark)
    return used


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


def _is_in_span(text: str, mark: _Mark) -> bool:
    """Whether a tag stands in a code span of its line, or in quotation marks of its own."""
    before = text[max(0, mark.start - _LONGEST_SPAN) : mark.start].rpartition("\n")[2]
    after = text[mark.end : mark.end + _LONGEST_SPAN].partition("\n")[0]
    if before and after and _QUOTES.get(before[-1]) == after[0]:
        return True
    return "`" in after and len(_TICKS.findall(before)) % 2 == 1


def _by_channels(text: str) -> Parted | None:
    """Take the last `final` channel of gpt-oss's format, also where its special tokens are lost."""
    if "<|message|>" not in text:
        last = None
        if text.startswith("analysis"):
            *_, last = [None, *_BARE_CHANNEL.finditer(text)]
        if last is None:
            return None
        return Parted(_answer(text[last.end() :]), text[len("analysis") : last.start()].strip())
    channels = list(_CHANNEL.finditer(text))
    finals = [channel for channel in channels if channel[1] == "final"]
    if not channels:
        return None
    thoughts = [
        _CHANNEL_END.split(text[channel.end() :], maxsplit=1)[0].strip()
        for channel in channels
        if channel[1] != "final"
    ]
    answer = _CHANNEL_END.split(text[finals[-1].end() :], maxsplit=1)[0] if finals else ""
    return Parted(_answer(answer), "\n".join(thoughts), is_open=not finals)


def _by_phrases(text: str, *, is_cut_off: bool) -> Parted | None:
    """Tell apart what phrases announce; both must be there, unless the text was cut off."""
    for opening, closing in _PHRASES:
        begin = re.match(opening, text)
        if begin is None:
            continue
        end = re.search(closing, text)
        if end is not None:
            thought = text[begin.end() : end.start()].strip()
            return Parted(_answer(text[end.end() :]), thought)
        if is_cut_off:
            return Parted("", text[begin.end() :].strip(), is_open=True)
    return None
