"""The task keeps every promise that the conformance checks know, and runs."""

from __future__ import annotations

from pathlib import Path

from llmeval_example_plugin.larger_number import LargerNumber, LargerNumberSettings

from llmeval_core.hooks import Generation, Question
from llmeval_core.testing import FakeModel, check_plugin, check_task, run_in


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.larger_number")

    assert set(plugin.registered) == {"tasks"}


async def test_the_task_keeps_its_promises() -> None:
    task = LargerNumber(LargerNumberSettings(n=5))

    scores = await check_task(task)

    assert [score["correct"].value for score in scores] == [0.0] * 5  # no answer is a number


async def test_who_always_says_the_first_number_is_half_right_and_never_steady() -> None:
    def first(question: Question, role: str) -> Generation:
        return Generation((first_number(question.messages[-1].text),))

    scores = await check_task(LargerNumber(LargerNumberSettings(n=3)), answer=first)

    assert {(one["correct"].value, one["steady"].value) for one in scores} == {(0.5, 0.0)}


async def test_a_whole_run(tmp_path: Path) -> None:
    task = LargerNumber(LargerNumberSettings(n=4))

    outcome = await run_in(
        tmp_path, ready_tasks={"larger_number": task}, models={"fake": FakeModel(first_number)}
    )

    (result,) = outcome.summary.results
    assert {metric.key: metric.aggregate.value for metric in result.metrics} == {
        "larger_number_0shot_correct": 0.5,
        "larger_number_0shot_steady": 0.0,
    }


def first_number(asked: str) -> str:
    return next(word for word in asked.split() if word.isdigit())
