"""A judge in this process: answers by a function, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from llmeval_core.hooks import Failure, Generation, Question, UnansweredError

Answer = str | Generation | Failure


class ScriptedAsk:
    """Asks a function; as the engine, it asks equal questions of one role only once.

    Attributes:
        asked: every question that was new, with its role.
    """

    def __init__(self, answer: Callable[[Question, str], Answer]) -> None:
        self._answer = answer
        self._known: dict[tuple[str, str], Answer] = {}
        self.asked: list[tuple[Question, str]] = []

    async def __call__(self, question: Question, *, role: str = "model") -> Generation:
        key = (role, repr(question))
        if key not in self._known:
            self.asked.append((question, role))
            self._known[key] = self._answer(question, role)
        answer = self._known[key]
        if isinstance(answer, Failure):
            raise UnansweredError(answer, role)
        return Generation((answer,), finish_reason="stop") if isinstance(answer, str) else answer


@pytest.fixture
def scripted() -> type[ScriptedAsk]:
    return ScriptedAsk


@pytest.fixture
def verdict() -> Callable[..., str]:
    def written(label: Any, reason: str = "because") -> str:
        return json.dumps({"reason": reason, "verdict": label}, ensure_ascii=False)

    return written
