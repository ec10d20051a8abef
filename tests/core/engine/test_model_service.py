"""The service of a model between tasks: who comes while it ends for others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

from llmeval_core.contracts import ExecutionRequest
from llmeval_core.engine.model_service import ModelService
from llmeval_core.engine.one_time_messages import OneTimeMessages
from llmeval_core.engine.request_ledger import RequestLedger
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.spending import Spending
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.generation import LocalExecutor
from llmeval_core.journal import Journal
from llmeval_core.records import Failure, Sample
from llmeval_core.testing import FakeDataset, make_generation, make_request, run_in
from llmeval_core.testing.running import plan_of
from tests.core.engine.test_items import Served, Twice


class SlowToEnd(LocalExecutor):
    """An executor whose workers take a while to end."""

    def __init__(self, is_ending: threading.Event) -> None:
        super().__init__()
        self._is_ending = is_ending

    async def run(self, job: ExecutionRequest, requests: Any, finish: Any) -> None:
        await super().run(job, requests, finish)
        self._is_ending.set()
        await asyncio.sleep(0.2)


class SlowPool(FakeDataset):
    """A data set that can be read only when something has happened."""

    def __init__(self, event: threading.Event) -> None:
        super().__init__(4, name="slow")
        self._event = event

    def few_shot_pool(self) -> Iterator[Sample]:
        assert self._event.wait(10)
        return super().few_shot_pool()


async def test_a_task_that_comes_while_a_service_ends_for_another_one_is_answered(
    tmp_path: Path,
) -> None:
    is_ending = threading.Event()

    outcome = await run_in(
        tmp_path,
        models={"fake": Served()},
        executors={"slow": SlowToEnd(is_ending)},
        datasets={"fake": FakeDataset(2), "slow": SlowPool(is_ending)},
        solvers={"twice": Twice()},
        tasks=[
            {"dataset": "fake", "solver": "twice"},
            {"dataset": "slow", "solver": "twice", "shots": [1]},
        ],
        executor="slow",
    )

    assert outcome.errors == ()
    assert [result.n_samples for result in outcome.summary.results] == [2, 4]


class CancelsAsker(LocalExecutor):
    """Refuses the first request, and cancels who asked it as soon as that is told."""

    def __init__(self) -> None:
        super().__init__()
        self.askers: list[asyncio.Task[Any]] = []
        self.n_sent = 0
        self.ask: Callable[[], Awaitable[Any]]

    async def run(self, job: ExecutionRequest, requests: Any, finish: Any) -> None:
        async for request in requests:
            self.n_sent += 1
            if self.n_sent > 1:
                await finish(request, make_generation("an answer"))
                continue
            await finish(request, Failure("bad_request", "no"))
            asyncio.get_running_loop().call_soon(self._cancel)

    def _cancel(self) -> None:
        self.askers[0].cancel()
        self.askers.append(asyncio.create_task(self._ask_once_more()))

    async def _ask_once_more(self) -> Any:
        await asyncio.sleep(0)
        return await self.ask()


async def test_who_is_cancelled_when_its_answer_is_there_takes_the_question_from_nobody(
    tmp_path: Path,
) -> None:
    plan, executor, request = plan_of(), CancelsAsker(), make_request()
    stop_signal = StopSignal(asyncio.Event())
    messages = OneTimeMessages(lambda text: None)
    with Journal(tmp_path) as journal:
        spending = Spending(plan.budget, stop_signal, messages)
        service = ModelService(
            RunContext(plan, journal, spending, stop_signal, messages),
            plan.models[0],
            RequestLedger(lambda: journal.n_given, lambda: journal.n_committed),
            executor=executor,
            make_job=lambda: cast("ExecutionRequest", None),  # nothing looks at it
        )
        await service.enter()
        executor.ask = lambda: service.ask(request)
        executor.askers += [asyncio.create_task(service.ask(request)) for _ in range(2)]

        async with asyncio.timeout(5):
            await asyncio.wait(executor.askers[:1])
            answers = [await one for one in executor.askers[1:]]
            await service.leave()

    assert executor.askers[0].cancelled()
    assert [answer.text for answer in answers] == ["an answer"] * 2
    assert executor.n_sent == 2
