"""The service of a model between tasks: who comes while it ends for others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmeval_core.contracts import ExecutionRequest
from llmeval_core.generation import LocalExecutor
from llmeval_core.records import Sample
from llmeval_core.testing import FakeDataset, run_in
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
