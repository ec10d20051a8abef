"""One judge and one thing to judge: asked by what it can, once more if nothing can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llmeval_core.hooks import (
    Ask,
    FailureKind,
    Generation,
    ImagePart,
    Json,
    Message,
    UnansweredError,
)
from llmeval_judges.fenced_data import FencedText
from llmeval_judges.judge_prompt import JudgePrompt
from llmeval_judges.verdict_reader import NoVerdict, Verdict, VerdictReader

VerdictBy = Literal["auto", "schema", "tool", "text"]

_WAYS = {
    "auto": ("schema", "tool", "text"),
    "schema": ("schema",),
    "tool": ("tool",),
    "text": ("text",),
}
_ONE_JUROR_LESS: tuple[FailureKind, ...] = (
    "bad_request", "filtered", "context_too_long", "malformed", "rate_limit", "overloaded",
    "connection", "timeout",
)  # fmt: skip
"""Failures of one request, after which a jury goes on without that juror."""


@dataclass(frozen=True, slots=True)
class Juror:
    """Who is asked.

    Args:
        role: the model's role in the run.
        draw: which repeat this is, from 0.
    """

    role: str = "judge"
    draw: int = 0


@dataclass(frozen=True, slots=True)
class VerdictRequest:
    """How verdicts are asked for.

    Args:
        prompt: what judges are told.
        by: in which form they answer; `auto` takes the first that the server accepts.
        asks_again: whether a judge whose verdict cannot be read is asked once more.
    """

    prompt: JudgePrompt
    by: VerdictBy = "auto"
    asks_again: bool = True

    async def verdict(
        self,
        juror: Juror,
        texts: Sequence[FencedText],
        ask: Ask,
        *,
        judged: tuple[str, ...] = (),
        images: Sequence[ImagePart] = (),
    ) -> Verdict | NoVerdict:
        """Ask one judge.

        Args:
            juror: whom.
            texts: all that it is told of.
            ask: asks the models of the run.
            judged: those of the texts that the evaluated model wrote.
            images: what else belongs to the question.

        Raises:
            UnansweredError: it did not answer.
        """
        said = await self.said(juror, texts, ask, judged=judged, images=images)
        return self.read(said, judged)

    async def said(
        self,
        juror: Juror,
        texts: Sequence[FencedText],
        ask: Ask,
        *,
        judged: tuple[str, ...] = (),
        images: Sequence[ImagePart] = (),
    ) -> Generation:
        """Return what a judge said last: to the question, or when it was asked once more.

        Raises:
            UnansweredError: it did not answer.
        """
        messages = self.prompt.messages(texts, images)
        by, said = await self._ask(juror, messages, ask)
        verdict = self.read(said, judged)
        is_worth_it = isinstance(verdict, NoVerdict) and verdict.lack == "unreadable"
        if not self.asks_again or not is_worth_it or not said.text.strip():
            return said
        again = self.prompt.again(messages, said.text)
        return await ask(self.prompt.question(again, by=by, draw=juror.draw), role=juror.role)

    def read(self, said: Generation, judged: tuple[str, ...] = ()) -> Verdict | NoVerdict:
        """Read a verdict in what a judge said; see `VerdictReader`."""
        return VerdictReader(self.prompt.scale).read(said, judged)

    async def verdict_if_any(
        self,
        juror: Juror,
        texts: Sequence[FencedText],
        ask: Ask,
        *,
        judged: tuple[str, ...] = (),
        images: Sequence[ImagePart] = (),
    ) -> Verdict | NoVerdict:
        """Ask one judge of several; that it does not answer is no verdict.

        Raises:
            UnansweredError: the run was stopped, or its time is up.
        """
        try:
            return await self.verdict(juror, texts, ask, judged=judged, images=images)
        except UnansweredError as err:
            if err.failure.kind not in _ONE_JUROR_LESS:
                raise
            return NoVerdict("unanswered", err.failure.message)

    def as_json(self) -> Json:
        """Return all that decides what is asked of a judge but the texts, for fingerprints."""
        return [self.prompt.as_json(), self.by, self.asks_again]

    async def _ask(
        self, juror: Juror, messages: tuple[Message, ...], ask: Ask
    ) -> tuple[str, Generation]:
        """Ask by the first way that the server does not refuse as a bad request."""
        *first, last = _WAYS[self.by]
        for by in first:
            try:
                question = self.prompt.question(messages, by=by, draw=juror.draw)
                return by, await ask(question, role=juror.role)
            except UnansweredError as err:
                if err.failure.kind != "bad_request":
                    raise
        question = self.prompt.question(messages, by=last, draw=juror.draw)
        return last, await ask(question, role=juror.role)
