"""Models in a process are open one after the other, whoever asks them, in whatever order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.contracts import ExecutionRequest
from llmeval_core.errors import ConfigError, ModelError
from llmeval_core.generation import LocalExecutor
from llmeval_core.testing import FakeDataset, FakeModel, run_in
from tests.core.engine.test_items import Judging, Served, values


class Place:
    """The memory of a machine: remembers how many models had it at once."""

    def __init__(self) -> None:
        self.n_open = self.most_open = 0


class Heavy(FakeModel):
    """A model that takes the place."""

    def __init__(self, place: Place, key: str) -> None:
        super().__init__(cache_key=key, latency_s=0.001)
        self._place = place

    async def open(self, model: str) -> Heavy:
        self._place.n_open += 1
        self._place.most_open = max(self._place.most_open, self._place.n_open)
        self.n_opened += 1
        return self

    async def aclose(self) -> None:
        self._place.n_open -= 1
        await super().aclose()


class NotingExecutor(LocalExecutor):
    """An executor that notes which models it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def run(self, job: ExecutionRequest, requests: Any, finish: Any) -> None:
        async def noted() -> Any:
            async for request in requests:
                self.asked.append(job.model)
                yield request

        await super().run(job, noted(), finish)


GIVEN: dict[str, Any] = {
    "datasets": {"fake": FakeDataset(6), "more": FakeDataset(9, name="more")},
    "metrics": {"judging": Judging()},
}


@pytest.mark.parametrize("names", [("judge", "other"), ("other", "judge"), ("x", "y", "judge")])
async def test_a_judge_that_is_evaluated_too_is_closed_while_another_model_answers(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    place = Place()
    models = {name: Heavy(place, name) for name in names}

    async with asyncio.timeout(20):
        outcome = await run_in(
            tmp_path, models=models, roles={"judge": {"name": "judge/model"}}, **GIVEN
        )

    assert outcome.errors == ()
    assert len(outcome.summary.results) == 2 * len(names)
    assert (place.most_open, place.n_open) == (1, 0)
    assert values(outcome) == {"fake_0shot_judging": 2 / 6, "more_0shot_judging": 2 / 9}


async def test_a_judge_of_a_server_and_an_evaluated_model_are_not_open_together(
    tmp_path: Path,
) -> None:
    place = Place()

    async with asyncio.timeout(20):
        outcome = await run_in(
            tmp_path,
            models={"served": Served(), "heavy": Heavy(place, "heavy")},
            role_models={"judge": Heavy(place, "judge")},
            **GIVEN,
        )

    assert outcome.errors == ()
    assert len(outcome.summary.results) == 4
    assert (place.most_open, place.n_open) == (1, 0)


async def test_models_behind_servers_are_asked_from_the_run_where_there_are_roles(
    tmp_path: Path,
) -> None:
    executor = NotingExecutor()
    served, judge = Served(), Served("b")

    outcome = await run_in(
        tmp_path,
        models={"served": served, "fake": FakeModel()},
        role_models={"judge": judge},
        executors={"one": executor},
        executor="one",
        **GIVEN,
    )

    assert outcome.errors == ()
    assert set(executor.asked) == {"fake/model"}
    assert len(served.requests) == 9
    assert len(judge.requests) == 9


async def test_a_jury_of_two_models_in_an_executor_is_refused_by_the_plan(tmp_path: Path) -> None:
    class TwoJudges(Judging):
        def __post_init__(self) -> None:
            object.__setattr__(self, "roles", {"judge": 1, "other": 1})

    with pytest.raises(ConfigError) as caught:
        await run_in(
            tmp_path,
            metrics={"judging": TwoJudges()},
            role_models={"judge": FakeModel(cache_key="a"), "other": FakeModel(cache_key="b")},
            executors={"one": NotingExecutor()},
            executor="one",
        )

    assert str(caught.value) == (
        "'role-judge/model' and 'role-other/model' both work in a process of the executor, and"
        " would have to be there at the same time\n"
        "  where: roles.other\n"
        "  try:   give one of them a server of its own, or leave `executor` out"
    )


def _answer_but(*numbers: int) -> Any:
    """Answer all questions but some."""

    def answer(text: str) -> str:
        if any(text.endswith(f"question {number}") for number in numbers):
            raise ModelError("malformed", "no JSON")
        return text

    return answer


async def test_a_sample_that_failed_stays_failed_when_the_judge_has_its_turn(
    tmp_path: Path,
) -> None:
    model = FakeModel(_answer_but(1, 4))
    judge = FakeModel(cache_key="j")

    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(6)},
        metrics={"judging": Judging()},
        models={"fake": model},
        role_models={"judge": judge},
        retry={"max_attempts": 1},
    )

    assert outcome.errors == ()
    (result,) = outcome.summary.results
    assert (result.n_samples, result.n_failed) == (6, 2)
    assert result.outcomes == {"answered": 4, "failed": 2}
    assert len(judge.requests) == 4


async def test_what_waits_for_its_judge_is_no_failure_between_failures(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(30)},
        metrics={"judging": Judging()},
        models={"fake": FakeModel(_answer_but(4, 9, 14, 19))},
        role_models={"judge": FakeModel(cache_key="j")},
        retry={"max_attempts": 1},
        concurrency=1,
        give_up_after=3,
    )

    assert outcome.errors == ()
    assert outcome.summary.n_failed == 4


async def test_failures_of_both_turns_are_counted_together(tmp_path: Path) -> None:
    def verdict(text: str) -> str:
        if text.endswith("for 2"):
            raise ModelError("malformed", "no JSON either")
        return text

    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(6)},
        metrics={"judging": Judging()},
        models={"fake": FakeModel(_answer_but(1))},
        role_models={"judge": FakeModel(verdict, cache_key="j")},
        retry={"max_attempts": 1},
        max_samples_failed=1,
    )

    assert [error.what for error in outcome.errors] == [
        "2 samples failed, and 1 may: judging: judge: no JSON either"
    ]
