"""What goes side by side, and that nobody can tell from the numbers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from llmeval_core.contracts import ModelInfo
from llmeval_core.errors import ModelError
from llmeval_core.records import Generation, Request
from llmeval_core.testing import FakeDataset, FakeModel, run_in


class OnServer(FakeModel):
    """A model behind a server; knows how much of it is under way."""

    def __init__(self, endpoint: str | None, *, latency_s: float = 0.0) -> None:
        super().__init__(latency_s=latency_s)
        self.endpoint = endpoint
        self.most_at_once = 0
        self._n_under_way = 0

    def describe(self, model: str) -> ModelInfo:
        return replace(super().describe(model), endpoint=self.endpoint)

    async def generate(self, request: Request) -> Generation:
        self._n_under_way += 1
        self.most_at_once = max(self.most_at_once, self._n_under_way)
        await asyncio.sleep(0)
        try:
            return await super().generate(request)
        finally:
            self._n_under_way -= 1


class Meeting(OnServer):
    """Answers only when the other model is asked at the same time."""

    def __init__(self, endpoint: str | None, barrier: asyncio.Barrier) -> None:
        super().__init__(endpoint)
        self._barrier = barrier
        self._met = False

    async def generate(self, request: Request) -> Generation:
        if not self._met:
            self._met = True
            async with asyncio.timeout(5):
                await self._barrier.wait()
        return await super().generate(request)


async def test_models_on_different_servers_are_asked_at_the_same_time(tmp_path: Path) -> None:
    barrier = asyncio.Barrier(2)
    models = {"a": Meeting("server a", barrier), "b": Meeting("server b", barrier)}

    outcome = await run_in(tmp_path, models=models)

    assert outcome.summary.n_failed == 0
    assert [result.model for result in outcome.summary.results] == ["a/model", "b/model"]


async def test_models_in_this_process_are_asked_one_after_another(tmp_path: Path) -> None:
    order: list[str] = []

    class Local(FakeModel):
        async def open(self, model: str) -> FakeModel:
            order.append("opened")
            return await super().open(model)

        async def aclose(self) -> None:
            order.append("closed")

    await run_in(tmp_path, models={"a": Local(), "b": Local()})

    assert order == ["opened", "closed", "opened", "closed"]


async def test_tasks_on_one_server_go_side_by_side_within_its_concurrency(tmp_path: Path) -> None:
    model = OnServer("server", latency_s=0.001)
    datasets = {name: FakeDataset(20, name=name) for name in ("a", "b", "c", "d", "e")}

    outcome = await run_in(tmp_path, datasets=datasets, models={"m": model}, concurrency=6)

    assert model.most_at_once == 6
    assert [result.dataset for result in outcome.summary.results] == list("abcde")


async def test_a_question_of_two_tasks_is_asked_once_though_they_go_side_by_side(
    tmp_path: Path,
) -> None:
    model = OnServer("server", latency_s=0.01)
    datasets = {name: FakeDataset(30, name=name) for name in ("a", "b", "c")}

    outcome = await run_in(tmp_path, datasets=datasets, models={"m": model}, concurrency=8)

    assert len(model.requests) == 30
    assert outcome.summary.n_samples == 90
    assert outcome.summary.n_requests == 30


async def test_what_another_task_failed_to_ask_is_asked_again(tmp_path: Path) -> None:
    model = OnServer("server", latency_s=0.01)
    model._failures = iter([ModelError("bad_request", "no")])
    datasets = {name: FakeDataset(2, name=name) for name in ("a", "b")}

    outcome = await run_in(tmp_path, datasets=datasets, models={"m": model}, concurrency=1)

    failed = {result.dataset: result.n_failed for result in outcome.summary.results}
    assert sorted(failed.values()) == [0, 1]
    assert len(model.requests) == 3


async def test_numbers_are_the_same_side_by_side_as_one_at_a_time(tmp_path: Path) -> None:
    def answer(asked: str) -> str:
        return asked if int(asked.rsplit(maxsplit=1)[-1]) % 3 else "wrong"

    async def numbers(home: str, endpoint: str | None, concurrency: int) -> list[object]:
        class Model(OnServer):
            async def generate(self, request: Request) -> Generation:
                found = await super().generate(request)
                return replace(found, texts=(answer(request.messages[-1].text),))

        models = {name: Model(endpoint and f"{endpoint} {name}") for name in ("m", "n")}
        datasets = {name: FakeDataset(40, name=name) for name in ("a", "b", "c")}
        outcome = await run_in(
            tmp_path / home, datasets=datasets, models=models, concurrency=concurrency
        )
        return [(r.model, r.task, r.metrics, r.n_samples) for r in outcome.summary.results]

    assert await numbers("one", None, 1) == await numbers("many", "server", 16)


async def test_a_model_that_cannot_be_used_does_not_stop_its_neighbour(tmp_path: Path) -> None:
    class Refusing(OnServer):
        async def generate(self, request: Request) -> Generation:
            raise ModelError("auth", "wrong key")

    models = {"a": Refusing("server"), "b": OnServer("server")}
    datasets = {name: FakeDataset(5, name=name) for name in ("x", "y", "z")}

    outcome = await run_in(tmp_path, datasets=datasets, models=models)

    assert [error.what for error in outcome.errors] == ["wrong key"]
    assert [result.model for result in outcome.summary.results] == ["b/model"] * 3


@pytest.mark.parametrize("endpoint", [None, "server"])
async def test_a_limit_that_is_found_out_answers_everything(
    tmp_path: Path, endpoint: str | None
) -> None:
    model = OnServer(endpoint)

    outcome = await run_in(tmp_path, datasets={"d": FakeDataset(500)}, models={"m": model})

    assert outcome.summary.n_requests == 500
