"""From what a judge wrote to its verdict, or to the reason why there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from llmeval_core.hooks import Generation, ReasoningFinder, ReasoningSplit, split_answers
from llmeval_judges.fenced_data import visible
from llmeval_judges.json_blocks import JsonBlock, last_json, whole_json
from llmeval_judges.scale import Level, Scale

VERDICT_TOOL = "give_verdict"
"""The tool that a judge calls where verdicts come by tool."""
_MOST_REASON = 2000
"""Characters of a reason that are kept."""
_SHORTEST_COPY = 12
"""Characters from which a verdict that stands in the judged text is taken for a copy of it."""

_SPACES = re.compile(r"\s+")
_GOES_ON = "}],:\"'"
_SPEAKS_OF_IT = re.compile("verdict|判定|判断|評価", re.IGNORECASE)

Lack = Literal["cut_off", "filtered", "refused", "empty", "unreadable", "copied", "unanswered"]
"""Why there is no verdict."""

_LACK_IN_WORDS: Mapping[Lack, str] = {
    "cut_off": "the judge was cut off at its max_tokens before it gave a verdict",
    "filtered": "a content filter held the judge's verdict back",
    "refused": "the judge refused",
    "empty": "the judge said nothing",
    "unreadable": "no verdict can be read in what the judge said",
    "copied": "the judge's verdict is copied out of the text that it judges",
    "unanswered": "the judge did not answer",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says.

    Args:
        level: the verdict.
        reason: the judge's own words; empty if it gave none.
    """

    level: Level
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """Why there is no verdict.

    Args:
        lack: in one word.
        said: the beginning of what the judge said, or why it said nothing.
    """

    lack: Lack
    said: str = ""

    def __str__(self) -> str:
        words = _LACK_IN_WORDS[self.lack]
        said = " ".join(self.said.split())[:160]
        return f"{words}: {said}" if said else words


@dataclass(frozen=True, slots=True)
class VerdictReader:
    """Reads verdicts on one scale.

    Args:
        scale: the verdicts that may be given.
    """

    scale: Scale
    _finder: ReasoningFinder = field(default_factory=ReasoningFinder, repr=False, compare=False)

    def read(self, generation: Generation, judged: tuple[str, ...] = ()) -> Verdict | NoVerdict:
        """Read the first answer of a judge.

        A verdict is one that the scale has, in the JSON object that the judge's answer is, in a
        call of the verdict tool, or in the last JSON object of the answer, if nothing that comes
        after it might say something else. What was cut off is not read, even if it looks whole.

        Args:
            generation: what the judge said.
            judged: the texts that it judged, to tell copies of them.
        """
        (split, *_) = split_answers(generation, self._finder) or (ReasoningSplit("", ""),)
        text = split.answer
        lack = _why_not_read(generation, split)
        if lack is not None:
            return NoVerdict(lack, generation.refusal or text)
        block = self._called(generation) or whole_json(text) or last_json(text)
        if block is None:
            return NoVerdict("unreadable" if text.strip() else "empty", text)
        level = self.scale.find(block.content.get("verdict"))
        if level is None or self._may_say_otherwise(block.rest):
            return NoVerdict("unreadable", text or block.source)
        if _is_copied(block.source, judged):
            return NoVerdict("copied", block.source)
        return Verdict(level, _reason(block.content.get("reason")))

    def _called(self, generation: Generation) -> JsonBlock | None:
        """Take the arguments of the verdict tool, if it was called once."""
        calls = [call for call in generation.tool_calls if call.name == VERDICT_TOOL]
        return whole_json(calls[0].arguments) if len(calls) == 1 else None

    def _may_say_otherwise(self, rest: str) -> bool:
        if not rest:
            return False
        is_inside = rest[0] in _GOES_ON  # of something that is no JSON as a whole
        return is_inside or bool(_SPEAKS_OF_IT.search(rest)) or self.scale.is_mentioned(rest)


def _why_not_read(generation: Generation, split: ReasoningSplit) -> Lack | None:
    """Say what ended an answer other than its end; None if nothing did."""
    reason = generation.reason(0)
    if reason == "length" or split.is_open:
        return "cut_off"
    if reason == "content_filter":
        return "filtered"
    return "refused" if reason == "refusal" or generation.refusal is not None else None


def _is_copied(source: str, judged: tuple[str, ...]) -> bool:
    """Whether a verdict stands in a text that is judged, as a judge sees it; spaces aside."""
    squeezed = _SPACES.sub("", source)
    if len(squeezed) < _SHORTEST_COPY:
        return False
    return any(squeezed in _SPACES.sub("", visible(one)) for one in judged)


def _reason(given: object) -> str:
    if isinstance(given, str):
        return given[:_MOST_REASON]
    if given is None:
        return ""
    return json.dumps(given, ensure_ascii=False)[:_MOST_REASON]
