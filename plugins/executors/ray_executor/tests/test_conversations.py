"""Conversations and judges on Ray: also where there is a place for one model only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from llmeval_ray_executor.executor import RayExecutor
from llmeval_ray_executor.settings import RaySettings

from llmeval_core.hooks import (
    Aggregate,
    Ask,
    ConfigError,
    Generation,
    Message,
    Mode,
    Question,
    Sample,
    Score,
    SolverInput,
    mean_aggregate,
)
from llmeval_core.testing import FakeDataset, FakeMetric, run_in
from plugins.executors.ray_executor.tests.recording_provider import RecordingProvider


@dataclass(frozen=True)
class ThreeTurns:
    """Asks three times, and whoever else it is told to."""

    partner: str | None = None
    definition: str = "three_turns@1"
    modes: frozenset[Mode] = frozenset({"chat"})

    @property
    def roles(self) -> Mapping[str, int]:
        return {"model": 3} | ({self.partner: 1} if self.partner else {})

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        question, answer = start.question, await ask(start.question)
        for turn in range(1, 3):
            said = (Message("assistant", answer.text), Message("user", f"turn {turn}"))
            question = replace(question, messages=(*question.messages, *said))
            answer = await ask(question)
        return answer


@dataclass(frozen=True)
class Judging:
    """A metric that asks a judge."""

    definition: str = "judging@1"
    higher_is_better: bool = True
    roles: Mapping[str, int] = field(default_factory=lambda: {"judge": 1})

    async def score(self, sample: Sample, generation: Generation, ask: Ask) -> Score:
        text = f"judge {sample.id}: {generation.text}"
        verdict = await ask(Question((Message("user", text),)), role="judge")
        return Score(float("1" in verdict.text))

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


def on_ray(folder: Path, **given: Any) -> dict[str, Any]:
    """Return what a run of conversations on one place is made of; Any: arguments of `run_in`."""
    settings = RaySettings(actors=1, resources={"place": 1.0}, concurrency_per_actor=4)
    return {
        "datasets": {"fake": FakeDataset(30)},
        "models": {"fake": RecordingProvider(folder, latency_s=0.002)},
        "metrics": {"fake": FakeMetric()},
        "executors": {"ray": RayExecutor(settings)},
        "executor": "ray",
        "solvers": {"three": ThreeTurns()},
        "tasks": [{"dataset": "fake", "solver": "three"}],
        **given,
    }


async def test_a_conversation_runs_on_ray(ray_here: Any, folder: Path, tmp_path: Path) -> None:
    outcome = await run_in(tmp_path / "home", **on_ray(folder))

    assert outcome.errors == ()
    assert outcome.summary.n_requests == 90
    assert [result.n_samples for result in outcome.summary.results] == [30]


async def test_a_model_and_its_judge_take_turns_in_one_place(
    ray_here: Any, folder: Path, tmp_path: Path
) -> None:
    judges = tmp_path / "judges"
    judges.mkdir()
    judge = RecordingProvider(judges)
    given = on_ray(folder, metrics={"judging": Judging()}, role_models={"judge": judge})

    outcome = await run_in(tmp_path / "home", **given)

    assert outcome.errors == ()
    assert outcome.summary.n_requests == 120
    assert judge.lines("asked").total() == 30
    (result,) = outcome.summary.results
    assert result.metrics[0].aggregate.value == 12 / 30  # as many numbers have a 1
    assert result.roles["judge"].n_requests == 30


async def test_a_judge_behind_a_server_is_asked_from_the_run_and_takes_no_place(
    ray_here: Any, folder: Path, tmp_path: Path
) -> None:
    judges = tmp_path / "judges"
    judges.mkdir()
    judge = RecordingProvider(judges, endpoint="http://judge")
    given = on_ray(folder, metrics={"judging": Judging()}, role_models={"judge": judge})

    async with asyncio.timeout(60):
        outcome = await run_in(tmp_path / "home", **given)

    assert outcome.errors == ()
    (result,) = outcome.summary.results
    assert result.metrics[0].aggregate.value == 12 / 30
    assert result.roles["judge"].n_requests == judge.lines("asked").total() == 30
    assert judge.processes() == [os.getpid()]
    assert given["models"]["fake"].lines("asked").total() == 90
    assert os.getpid() not in given["models"]["fake"].processes()


async def test_a_judge_that_is_evaluated_too_gives_its_place_to_the_other_model(
    ray_here: Any, folder: Path, tmp_path: Path
) -> None:
    judges = tmp_path / "judges"
    judges.mkdir()
    models = {"judge": RecordingProvider(judges), "other": RecordingProvider(folder)}
    given = on_ray(folder, models=models, metrics={"judging": Judging()})

    async with asyncio.timeout(120):
        outcome = await run_in(tmp_path / "home", roles={"judge": {"name": "judge/model"}}, **given)

    assert outcome.errors == ()
    assert [result.n_samples for result in outcome.summary.results] == [30, 30]
    assert models["judge"].lines("asked").total() == 90 + 30  # both answer alike


async def test_two_models_that_talk_to_each_other_are_refused_by_the_plan(
    folder: Path, tmp_path: Path
) -> None:
    given = on_ray(
        folder,
        solvers={"three": ThreeTurns(partner="user")},
        role_models={"user": RecordingProvider(folder)},
    )

    with pytest.raises(ConfigError) as caught:
        await run_in(tmp_path / "home", **given)

    assert str(caught.value) == (
        "'fake/model' and 'role-user/model' both work in a process of the executor, and would have"
        " to be there at the same time\n"
        "  where: roles.user\n"
        "  try:   give one of them a server of its own, or leave `executor` out"
    )
