"""What ends a run before its samples do: time, money, failures; and that it can go on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.errors import ConfigError, ModelError
from llmeval_core.journal import Journal
from llmeval_core.records import Generation, Request, TaskResult
from llmeval_core.testing import FakeDataset, FakeModel, run_in
from llmeval_core.testing.running import plan_of


class Spending(FakeModel):
    """Uses 10 tokens an answer."""

    async def generate(self, request: Request) -> Generation:
        self.requests.append(request)
        return Generation(("x",), n_prompt_tokens=8, n_completion_tokens=2)


class Hanging(FakeModel):
    """Never answers the questions that end in an odd digit."""

    async def generate(self, request: Request) -> Generation:
        if int(request.messages[-1].text[-1]) % 2:
            await asyncio.Event().wait()
        return await super().generate(request)


def failures_of(home: Path, result: TaskResult) -> set[tuple[str, str]]:
    with Journal(home) as journal:
        samples = list(journal.samples_of(result))
    return {(s.failure.kind, s.failure.message) for s in samples if s.failure is not None}


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({"tokens": 200}, "the budget of 200 tokens is used up (200)"),
        ({"cost": 240.0}, "the budget of 240 is used up (240)"),
    ],
)
async def test_a_budget_ends_a_run_which_then_goes_on_with_a_higher_one(
    budget: dict[str, Any], told: str, tmp_path: Path
) -> None:
    datasets = {"d": FakeDataset(100)}
    prices = {"m/*": {"input": 1_000_000, "output": 2_000_000}}
    first, second = Spending(), Spending()

    stopped = await run_in(
        tmp_path,
        datasets=datasets,
        models={"m": first},
        budget=budget,
        prices=prices,
        concurrency=1,
    )
    finished = await run_in(tmp_path, datasets=datasets, models={"m": second}, prices=prices)

    assert [(error.what, error.where) for error in stopped.errors] == [(told, "budget")]
    assert stopped.summary.results == ()
    assert len(first.requests) == 20
    assert len(second.requests) == 80
    assert finished.summary.cost == 80 * 12
    assert finished.summary.results[0].cost == 100 * 12


def test_a_budget_of_money_needs_prices() -> None:
    with pytest.raises(ConfigError, match="there is a budget, and no price for 'fake/model'"):
        plan_of(budget={"cost": 1.0}, prices={"other/*": {"input": 1}})


def test_of_several_prices_the_nearest_counts() -> None:
    prices = {"fake/*": {"input": 1}, "*": {"input": 2}, "fake/mod*": {"input": 3}}

    (evaluation,) = plan_of(prices=prices).evaluations

    assert evaluation.model.price is not None
    assert evaluation.model.price.input == 3


@pytest.mark.parametrize("name", ["task_s", "run_s"])
async def test_what_is_not_finished_in_time_has_failed_and_is_asked_again_next_time(
    name: str, tmp_path: Path
) -> None:
    datasets = {"d": FakeDataset(40)}
    again = FakeModel()

    outcome = await run_in(
        tmp_path, datasets=datasets, models={"m": Hanging()}, timeouts={name: 0.5}, concurrency=30
    )
    finished = await run_in(tmp_path, datasets=datasets, models={"m": again})

    (result,) = outcome.summary.results
    assert 0 < result.n_failed < 40
    assert result.n_samples == 40
    assert failures_of(tmp_path, result) <= {
        ("time_limit", f"no answer before timeouts.{name} was over, all attempts together"),
        ("time_limit", f"timeouts.{name} was over before it was asked"),
    }
    assert len(again.requests) == result.n_failed
    assert finished.summary.n_failed == 0


async def test_a_sample_has_a_limit_over_all_its_attempts(tmp_path: Path) -> None:
    class Busy(FakeModel):
        async def generate(self, request: Request) -> Generation:
            if request.messages[-1].text.endswith("0"):
                raise ModelError("overloaded", "busy")
            return await super().generate(request)

    outcome = await run_in(
        tmp_path,
        datasets={"d": FakeDataset(3)},
        models={"m": Busy()},
        timeouts={"sample_s": 0.3},
        retry={"max_attempts": 1000, "base_s": 0.05, "max_s": 0.05},
    )

    (result,) = outcome.summary.results
    assert failures_of(tmp_path, result) == {
        ("timeout", "no answer before timeouts.sample_s was over, all attempts together")
    }


async def test_a_sample_has_its_time_from_when_it_is_asked(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path,
        datasets={"d": FakeDataset(64)},
        models={"m": FakeModel(latency_s=0.2)},
        max_concurrency=64,  # of which eight are sent at first, and the rest wait
        timeouts={"sample_s": 1.0},
    )

    assert outcome.summary.n_failed == 0
    assert outcome.summary.elapsed_s > 1.0


class Failing(FakeModel):
    """Fails every tenth question."""

    async def generate(self, request: Request) -> Generation:
        if request.messages[-1].text.endswith("7"):
            raise ModelError("bad_request", "too odd")
        return await super().generate(request)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"fail_fast": True}, "a sample failed, and 0 may: too odd"),
        ({"max_samples_failed": 2}, "3 samples failed, and 2 may: too odd"),
        ({"max_samples_failed": 0.05}, "6 samples failed, and 5 may: too odd"),
    ],
)
async def test_more_failures_than_allowed_end_the_task(
    settings: dict[str, Any], told: str, tmp_path: Path
) -> None:
    outcome = await run_in(
        tmp_path, datasets={"d": FakeDataset(100)}, models={"m": Failing()}, **settings
    )

    assert [error.what for error in outcome.errors] == [told]
    assert outcome.summary.results == ()


@pytest.mark.parametrize("settings", [{"max_samples_failed": 10}, {"max_samples_failed": 0.1}, {}])
async def test_as_many_failures_as_allowed_end_nothing(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    outcome = await run_in(
        tmp_path, datasets={"d": FakeDataset(100)}, models={"m": Failing()}, **settings
    )

    assert outcome.errors == ()
    assert outcome.summary.n_failed == 10


async def test_fail_fast_ends_the_whole_run(tmp_path: Path) -> None:
    datasets = {name: FakeDataset(100, name=name) for name in ("a", "b")}

    outcome = await run_in(
        tmp_path, datasets=datasets, models={"m": Failing()}, fail_fast=True, concurrency=1
    )

    assert outcome.summary.n_unfinished == 2
    assert not outcome.summary.interrupted
