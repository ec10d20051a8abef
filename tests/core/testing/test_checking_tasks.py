"""The conformance kit finds what is wrong with a task or a solver."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from llmeval_core.contracts import Ask, Item, Question, SolverInput
from llmeval_core.records import Generation, Message, Mode, Sample, Score
from llmeval_core.testing import check_solver, check_task
from tests.core.engine.test_items import Chatting, Twice

COUNTER = itertools.count()


async def test_good_ones_pass() -> None:
    scores = await check_task(Chatting(judge=True))
    answers = await check_solver(Twice())

    assert len(scores) == 5
    assert [set(one) for one in scores] == [{"length", "judged"}] * 5
    assert len(answers) == 2


@dataclass(frozen=True)
class Bad(Chatting):
    """Breaks one promise."""

    wrong: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def roles(self) -> Mapping[str, int]:
        return {} if self.wrong == "role" else super().roles

    def fingerprint(self) -> str:
        return f"{next(COUNTER)}" if self.wrong == "fingerprint" else "1"

    def size(self) -> int | None:
        return 99 if self.wrong == "size" else 5

    def items(self) -> Iterator[Item]:
        for item in super().items():
            yield Item(Sample("x", "?"), item.questions) if self.wrong == "ids" else item

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        if self.wrong == "clock":
            return [await ask(Question((Message("user", f"at {next(COUNTER)}"),)))]
        if self.wrong == "mode":
            return [await ask(Question(prompt="?", mode="completion"))]
        return await super().answer(item, ask)

    async def score(
        self, item: Item, answers: Sequence[Generation], ask: Ask
    ) -> Mapping[str, Score]:
        if self.wrong == "metrics":
            return {}
        if self.wrong == "chance":
            return {name: Score(float(next(COUNTER))) for name in self.metrics}
        return await super().score(item, answers, ask)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("role", "it asks the role 'judge', which its `roles` do not name"),
        ("fingerprint", "its fingerprint changes"),
        ("size", "size() is 99, and there are 5 items"),
        ("ids", "two items have the same id"),
        ("clock", "its question 0 is another one the second time: "),
        ("mode", "it asks in mode 'completion', not one of its own"),
        ("metrics", "item '0': scored by []"),
        ("chance", "item '0': another score the second time"),
    ],
)
async def test_a_broken_promise_of_a_task_is_named(wrong: str, message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        await check_task(Bad(judge=True, wrong=wrong))

    assert str(caught.value).startswith(message)


@dataclass(frozen=True)
class Forgetful:
    """A solver that asks otherwise each time."""

    definition: str = "forgetful@1"
    modes: frozenset[Mode] = frozenset({"chat"})
    roles: Mapping[str, int] = field(default_factory=dict)

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        return await ask(Question((Message("user", str(next(COUNTER))),)))


async def test_a_solver_that_asks_otherwise_the_second_time_is_named() -> None:
    with pytest.raises(AssertionError, match="the second time"):
        await check_solver(Forgetful())


class Choosy(Forgetful):
    """A solver that solves no sample without a script."""

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        raise ValueError("its metadata has no script")


async def test_a_solver_may_say_that_it_cannot_solve_a_sample() -> None:
    assert await check_solver(Choosy()) == []
