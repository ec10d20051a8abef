"""The conformance kit finds what is wrong with a source of tasks, and who judges thoughts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from llmeval_core.contracts import Ask, GroupMetric, Item, TaskGroup, TaskOptions, TaskSet
from llmeval_core.records import Generation, Score
from llmeval_core.testing import check_task, check_task_source
from tests.core.engine.test_items import Chatting

COUNTER = itertools.count()


@dataclass(frozen=True)
class Pair:
    """Two tasks and a group of them; or one that breaks a promise."""

    wrong: str = ""

    def load(self, options: TaskOptions) -> TaskSet:
        """Make them."""
        if self.wrong == "type":
            return [Chatting()]  # type: ignore[return-value]  # wrong by intent
        if self.wrong == "none":
            return TaskSet(())
        names = ("a", "a") if self.wrong == "twice" else ("a", "b")
        version = f"{next(COUNTER)}" if self.wrong == "changes" else "1"
        tasks = tuple(Chatting(n_items=2, name=name, version=version) for name in names)
        wrong_members: dict[str, tuple[str, ...]] = {"member": ("a", "c"), "no member": ()}
        members = wrong_members.get(self.wrong, ("a", "b"))
        metric = "nothing" if self.wrong == "metric" else "length"
        number = GroupMetric(members)
        if self.wrong == "no aggregate":
            number = GroupMetric(members, lambda given: 3)  # type: ignore[arg-type, return-value]
        name = "a" if self.wrong == "name" else "both"
        return TaskSet(tasks, (TaskGroup(name, {metric: number}),))


async def test_a_good_source_passes() -> None:
    scores = await check_task_source(Pair())

    assert {name: len(found) for name, found in scores.items()} == {"a": 2, "b": 2}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("type", "load() gave a list, not a TaskSet"),
        ("none", "it stands for no task"),
        ("twice", "two of its tasks have the same name"),
        ("changes", "load() gives other tasks the second time"),
        ("member", "group 'both': there is no task 'c'"),
        ("no member", "group 'both': no task has a part in 'length'"),
        ("metric", "group 'both': 'a' has no metric 'nothing'"),
        ("name", "'a' is a group and a task"),
        ("no aggregate", "group 'both': the aggregate of length is a int"),
    ],
)
async def test_a_broken_promise_of_a_source_is_named(wrong: str, message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        await check_task_source(Pair(wrong))

    assert str(caught.value) == message


async def test_a_source_is_no_task() -> None:
    source: Any = Pair()
    with pytest.raises(AssertionError, match="Pair is a TaskSource: `check_task_source` is for"):
        await check_task(source)


@dataclass(frozen=True)
class Thoughtless(Chatting):
    """Judges the text as it came, thoughts and all."""

    def score(  # type: ignore[override]  # not async
        self, item: Item, answers: Sequence[Generation], ask: Ask
    ) -> Mapping[str, Score]:
        """Count characters."""
        return {"length": Score(float(len(answers[-1].text)))}


async def test_a_task_that_judges_thoughts_is_named() -> None:
    with pytest.raises(AssertionError) as caught:
        await check_task(Thoughtless())

    assert str(caught.value).startswith(
        "item '0': a thought before each answer (<think>...</think>) changes its scores; take the"
        " text of an answer by `ask.without_reasoning(answer)`"
    )
    assert len(await check_task(Thoughtless(), judges_thoughts=True)) == 5
