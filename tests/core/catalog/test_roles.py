"""Roles as planned: what a user should know of them before anything is asked."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from llmeval_core.contracts import Ask
from llmeval_core.records import Generation, Sample, Score
from llmeval_core.testing import FakeMetric
from llmeval_core.testing.running import plan_of


class Judged(FakeMetric):
    """A metric that asks three judges."""

    roles: ClassVar = {"a": 1, "b": 1, "c": 1}

    async def score(self, sample: Sample, generation: Generation, ask: Ask) -> Score:  # type: ignore[override]  # asks
        """Score nothing."""
        return Score(1.0)


def test_two_roles_that_are_one_and_the_same_are_noted() -> None:
    warmer = {"name": "fake/judge", "generation": {"temperature": 0.7}}

    plan = plan_of(
        metrics={"judged": Judged()},
        roles={"a": "fake/judge", "b": "fake/judge", "c": warmer, "d": "fake/judge"},
    )

    assert plan.notes == (
        "no task asks the role 'd' (fake/judge)",
        "the roles 'a' and 'b' are the same model with the same settings (fake/judge): equal"
        " requests are sent once, and both give one answer",
    )


def test_the_tags_of_a_judges_thoughts_decide_its_task_and_not_what_the_model_is_asked() -> None:
    judges: list[Any] = [
        {"name": "fake/judge", "reasoning_tags": tags}
        for tags in (None, [["<a>", "</a>"]], [["<b>", "</b>"]])
    ]

    plans = [
        plan_of(metrics={"judged": Judged()}, roles=dict.fromkeys("abc", judge)) for judge in judges
    ]

    tasks = [plan.evaluations[0].tasks[0] for plan in plans]
    assert len({task.fingerprint for task in tasks}) == 3
    assert len({task.cache_key for task in tasks}) == 1


def test_secrets_in_what_a_judge_is_sent_are_not_shown() -> None:
    generation = {"extra_body": {"api_key": "sk-1234"}}

    plan = plan_of(
        metrics={"judged": Judged()},
        roles={name: {"name": "fake/judge", "generation": generation} for name in "abc"},
    )

    (task,) = plan.evaluations[0].tasks
    shown: Any = task.settings["roles"]
    assert shown["a"][2]["extra_body"] == {"api_key": "***"}
    assert "sk-1234" not in json.dumps(plan.describe())
