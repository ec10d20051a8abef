"""A task: which of two numbers is larger, asked in both orders.

A data set with a prompt and metrics makes one request a sample. This makes two, and its second
number needs the answers to both, so it is a task.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from llmeval_core.hooks import (
    Ask,
    Component,
    Generation,
    Item,
    Message,
    MetricInfo,
    Mode,
    Question,
    Sample,
    Score,
    Settings,
    Task,
    fingerprint,
    hookimpl,
    mean_aggregate,
)


def _metric(definition: str) -> MetricInfo:
    return MetricInfo(definition, higher_is_better=True, aggregate=mean_aggregate)


_VERSION = 1
"""Raise it when other questions are asked, or they are scored otherwise."""


class LargerNumberSettings(Settings):
    """What a user can set."""

    n: int = Field(default=20, ge=1, le=10_000, description="How many pairs of numbers.")


class LargerNumber:
    """Asks for the larger of two numbers twice; the order should not matter.

    `correct` is the share of right answers to both questions, `steady` whether both answers are
    the same. An answer is right if it is the number and nothing else.
    """

    name = "larger_number"
    n_shots = 0
    modes: frozenset[Mode] = frozenset({"chat"})
    metrics: Mapping[str, MetricInfo] = {
        "correct": _metric("larger_number_correct@1"),
        "steady": _metric("larger_number_steady@1"),
    }
    roles: Mapping[str, int] = {}

    def __init__(self, settings: LargerNumberSettings) -> None:
        self._n = settings.n

    def fingerprint(self) -> str:
        """Return a digest of all that decides questions and scores."""
        return fingerprint([_VERSION, self._n])

    def size(self) -> int:
        """Count the items."""
        return self._n

    def items(self) -> Iterator[Item]:
        """Stream the pairs; seeded, so that they are the same each time."""
        chance = random.Random("larger_number")  # noqa: S311  not for secrets
        for number in range(self._n):
            one, other = chance.sample(range(1000), 2)
            orders = ((one, other), (other, one))
            yield Item(
                Sample(
                    id=str(number), input=f"{one} or {other}", references=(str(max(orders[0])),)
                ),
                questions=tuple(_question(*order) for order in orders),
            )

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        """Ask both at once. What `ask` raises is left to the engine."""
        return await asyncio.gather(*[ask(question) for question in item.questions])

    def score(self, item: Item, answers: Sequence[Generation], ask: Ask) -> Mapping[str, Score]:
        """Score both answers together."""
        said = [ask.without_reasoning(answer).strip() for answer in answers]
        n_right = sum(text in item.sample.references for text in said)
        return {
            "correct": Score(n_right / len(said)),
            "steady": Score(float(said[0] == said[1])),
        }


def _question(one: int, other: int) -> Question:
    asked = f"Which number is larger, {one} or {other}? Answer with the number only."
    return Question((Message("user", asked),))


@hookimpl
def llmeval_register_tasks() -> Iterable[Component[Any, Task]]:
    """Offer the task; Any: its settings."""
    yield Component(
        "larger_number",
        LargerNumberSettings,
        LargerNumber,
        "the larger of two numbers, in both orders",
        argument="n",
        example="tasks:\n  - task: larger_number:100",
    )
