"""An `ask` that answers by itself and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from llmeval_core.contracts import MODEL, Question, UnansweredError
from llmeval_core.naming import Json, fingerprint
from llmeval_core.reasoning import ReasoningFinder, split_answers
from llmeval_core.records import Failure, Generation, Loglikelihood, Message, StopReason

Answering = Callable[[Question, str], Generation]
"""Answers a question to a role; equal questions have equal answers."""

MOST_QUESTIONS = 10_000
"""An item that asks more does not end."""


def trial_answer(question: Question, role: str) -> Generation:
    """Answer a question somehow, always in the same way."""
    if question.continuations:
        n = len(question.continuations)
        return Generation(
            loglikelihoods=tuple(Loglikelihood(-1.0 - rank, 1 + rank) for rank in range(n))
        )
    messages: list[Json] = [message.as_json() for message in question.messages]
    asked: list[Json] = [messages, question.prompt, question.draw]
    text = f"{role} says {int(fingerprint(asked)[:8], 16) % 10}"
    stop: StopReason = "stop"
    n_answers = question.settings.n if question.settings is not None else 1
    return Generation((text,) * n_answers, stop_reasons=(stop,) * n_answers)


class RecordingAsk:
    """Answers questions, and remembers them with their roles in the order of asking.

    Args:
        roles: the roles that may be asked besides `model`.
        answer: answers; `trial_answer` if left out.
        fails_at: the place, from 0, of the question that comes to no answer; None for none.
        conversation: the messages that a judged answer answered, for metrics.
        follow_ups: those of them that came after the task's prompt.

    Attributes:
        asked: the questions and their roles.
    """

    def __init__(
        self,
        roles: Mapping[str, int],
        answer: Answering = trial_answer,
        *,
        fails_at: int | None = None,
        conversation: tuple[Message, ...] = (),
        follow_ups: tuple[Message, ...] = (),
    ) -> None:
        self.conversation = conversation
        self.follow_ups = follow_ups
        self._roles = {MODEL, *roles}
        self._answer = answer
        self._fails_at = fails_at
        self.asked: list[tuple[Question, str]] = []

    async def __call__(self, question: Question, *, role: str = MODEL) -> Generation:
        """Answer.

        Raises:
            AssertionError: it is no question, its role is not announced, or there is no end.
            UnansweredError: it is the one that comes to no answer.
        """
        assert isinstance(question, Question), f"it asks a {type(question).__name__}"
        self._check_role(role)
        place = len(self.asked)
        assert place < MOST_QUESTIONS, f"one item asks more than {MOST_QUESTIONS:,} questions"
        self.asked.append((question, role))
        await asyncio.sleep(0)
        if place == self._fails_at:
            raise UnansweredError(Failure("bad_request", "there is no answer to this"), role)
        return self._answer(question, role)

    def without_reasoning(self, generation: Generation, *, role: str = MODEL) -> str:
        """Return the first answer without thoughts between any of the known tags."""
        self._check_role(role)
        split = next(iter(split_answers(generation, ReasoningFinder())), None)
        return split.answer if split is not None else ""

    def _check_role(self, role: str) -> None:
        assert role in self._roles, f"it asks the role '{role}', which its `roles` do not name"
