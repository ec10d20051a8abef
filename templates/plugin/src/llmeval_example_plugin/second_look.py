"""A solver: the model answers, looks at its answer again, and may change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from llmeval_core.hooks import (
    MODEL,
    Ask,
    Component,
    Generation,
    Message,
    Mode,
    Settings,
    Solver,
    SolverInput,
    hookimpl,
)


class SecondLookSettings(Settings):
    """What a user can set."""

    request: str = Field(
        default="Check your answer, and then give it again, in the same form.",
        min_length=1,
        description="What the model is told after its first answer.",
    )


class SecondLook:
    """Asks twice; the second answer counts. One that is empty the first time is not asked again."""

    definition = "second_look@1"
    modes: frozenset[Mode] = frozenset({"chat"})
    roles: Mapping[str, int] = {MODEL: 2}

    def __init__(self, settings: SecondLookSettings) -> None:
        self._request = settings.request

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        """Answer one sample."""
        first = await ask(start.question)
        if not start.read(first).strip():
            return first
        turns = (Message("assistant", ask.without_reasoning(first)), Message("user", self._request))
        return await ask(replace(start.question, messages=(*start.question.messages, *turns)))


@hookimpl
def llmeval_register_solvers() -> Iterable[Component[Any, Solver]]:
    """Offer the solver; Any: its settings."""
    yield Component(
        "second_look",
        SecondLookSettings,
        SecondLook,
        "the model checks its answer once",
        example="tasks:\n  - dataset: jsonl:my.jsonl\n    solver: second_look",
    )
