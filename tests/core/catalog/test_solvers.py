"""Solvers as planned: what a model cannot do is said before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from llmeval_core.config import ComponentConfig
from llmeval_core.contracts import Ask, ModelInfo, SolverInput
from llmeval_core.errors import ConfigError, PluginError
from llmeval_core.naming import Json
from llmeval_core.plan import Plan
from llmeval_core.records import Generation, Mode, ToolSpec
from llmeval_core.testing import FakeModel
from llmeval_core.testing.running import plan_of


class LackingModel(FakeModel):
    """A model that gives one answer to a request, and calls no tools."""

    def describe(self, model: str) -> ModelInfo:
        """Tell what it lacks."""
        return replace(super().describe(model), lacks=frozenset({"n", "tools"}))


class Clock:
    """A tool."""

    spec = ToolSpec("now")

    async def call(self, arguments: Mapping[str, Json]) -> str:
        """Tell the time."""
        return "noon"


class AskingTheTime:
    """A solver that offers a tool."""

    definition = "asking_the_time@1"
    modes = frozenset[Mode]({"chat"})
    roles: ClassVar = {"model": 1}
    tools = (ComponentConfig(use="clock"),)

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        """Ask once."""
        return await ask(start.question)


def test_several_answers_of_a_model_that_gives_one_are_refused_by_the_plan() -> None:
    assert plan_of(models={"fake": LackingModel()}).evaluations
    with pytest.raises(ConfigError) as caught:
        plan_of(models={"fake": LackingModel()}, generation={"n": 3})

    assert str(caught.value) == (
        "'fake/model' gives one answer to each request, and `n` is 3\n"
        "  where: tasks[0]\n"
        "  try:   leave `n` at 1; `solver: {use: self_consistency, n: ...}` asks several times"
    )


def test_tools_for_a_model_that_calls_none_are_refused_by_the_plan() -> None:
    offered: dict[str, Any] = {
        "solvers": {"asking": AskingTheTime()},
        "tools": {"clock": Clock()},
        "tasks": [{"dataset": "fake", "solver": "asking"}],
    }

    assert plan_of(**offered).evaluations
    with pytest.raises(ConfigError) as caught:
        plan_of(models={"fake": LackingModel()}, **offered)

    assert str(caught.value) == (
        "'fake/model' calls no tools, and the solver 'asking' offers some\n"
        "  where: tasks[0]\n"
        "  try:   evaluate it on tasks without tools, or serve it in a way that knows them"
    )


class AskingTwice(AskingTheTime):
    """A solver that asks more than once."""

    roles: ClassVar = {"model": 2}


def test_several_answers_each_time_a_solver_asks_are_refused_by_the_plan() -> None:
    solved: dict[str, Any] = {
        "solvers": {"once": AskingTheTime(), "twice": AskingTwice()},
        "tools": {"clock": Clock()},
        "generation": {"n": 3},
    }

    assert plan_of(**solved, tasks=[{"dataset": "fake", "solver": "once"}]).evaluations
    with pytest.raises(ConfigError) as caught:
        plan_of(**solved, tasks=[{"dataset": "fake", "solver": "twice"}])

    assert str(caught.value) == (
        "the solver 'twice' asks a sample several times, each time for one answer, and `n` is 3\n"
        "  where: tasks[0]\n"
        "  try:   leave `n` at 1; `solver: {use: self_consistency, n: ...}` has its own"
    )


class Table(Clock):
    """A tool that reads data."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def fingerprint(self) -> str:
        """Tell its data."""
        return self.content  # type: ignore[no-any-return]  # what a plugin might give


def _plan_with(tool: Clock) -> Plan:
    return plan_of(
        solvers={"asking": AskingTheTime()},
        tools={"clock": tool},
        tasks=[{"dataset": "fake", "solver": "asking"}],
    )


def test_a_tool_whose_data_changed_is_another_result() -> None:
    plans = [_plan_with(tool) for tool in (Clock(), Table("old"), Table("new"), Table("new"))]
    plain, old, new, same = [plan.evaluations[0].tasks[0].fingerprint for plan in plans]

    assert len({plain, old, new}) == 3
    assert same == new


def test_a_fingerprint_of_a_tool_that_is_no_text_is_a_bug_of_the_plugin() -> None:
    with pytest.raises(PluginError, match="fingerprint\\(\\) gave a int, not a text"):
        _plan_with(Table(7))


def test_a_mode_that_a_solver_lacks_is_refused_with_what_to_set() -> None:
    def refused(**task: Any) -> str | None:
        with pytest.raises(ConfigError) as caught:
            plan_of(
                solvers={"asking": AskingTheTime()},
                tools={"clock": Clock()},
                tasks=[{"dataset": "fake", "solver": "asking", **task}],
            )
        assert caught.value.what.startswith("the task's solver cannot be asked for")
        return caught.value.hint

    head = "with it this model can be asked for chat; set "
    assert refused(prompt={"mode": "completion"}) == head + "prompt: {mode: chat}"
    assert refused(answer_by="loglikelihood") == head + "answer_by: letter"
