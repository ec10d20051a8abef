"""Requests put together to batches: which go together, and who is told what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from llmeval_models.transformers.batch_worker import BatchWorker


class Upper:
    """Makes words upper case, and notes which came together; waits before each batch if told."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may_go = threading.Event()
        self.may_go.set()

    def __call__(self, words: Sequence[str]) -> list[str]:
        self.batches.append(list(words))
        assert self.may_go.wait(30)
        if "bad" in words:
            raise ValueError("bad word")
        return [word.upper() for word in words]


@asynccontextmanager
async def working(upper: Upper, *, batch_size: int = 3) -> AsyncIterator[BatchWorker[str, str]]:
    worker = BatchWorker[str, str](upper, kind=len, batch_size=batch_size)
    try:
        yield worker
    finally:
        upper.may_go.set()
        await worker.aclose()


async def test_each_gets_its_own_result_and_no_batch_is_too_large() -> None:
    upper = Upper()
    words = [f"{number:02}" for number in range(10)]

    async with working(upper) as worker:
        found = await asyncio.gather(*[worker.submit(word) for word in words])

    assert found == words
    assert [len(batch) for batch in upper.batches] == [3, 3, 3, 1]


async def test_only_jobs_of_one_kind_go_together() -> None:
    upper = Upper()

    async with working(upper) as worker:
        await asyncio.gather(*[worker.submit(word) for word in ("a", "bb", "c", "dd", "e", "f")])

    assert upper.batches == [["a", "c", "e"], ["bb", "dd"], ["f"]]


async def test_an_error_is_told_to_its_batch_alone() -> None:
    async with working(Upper()) as worker:
        found = await asyncio.gather(
            *[worker.submit(word) for word in ("bad", "one", "good")], return_exceptions=True
        )

    assert [str(one) for one in found] == ["bad word", "bad word", "GOOD"]


async def test_a_job_that_nobody_waits_for_is_passed_over() -> None:
    upper = Upper()
    upper.may_go.clear()

    async with working(upper, batch_size=1) as worker:
        first = asyncio.create_task(worker.submit("a"))
        given_up = asyncio.create_task(worker.submit("b"))
        last = asyncio.create_task(worker.submit("c"))
        while not upper.batches:  # noqa: ASYNC110  written by a thread
            await asyncio.sleep(0.001)
        given_up.cancel()
        upper.may_go.set()
        found = [await first, await last]

    assert (found, upper.batches) == (["A", "C"], [["a"], ["c"]])


async def test_the_end_comes_after_the_batch_that_runs_and_before_the_next() -> None:
    upper = Upper()
    upper.may_go.clear()

    async with working(upper, batch_size=1) as worker:
        waiting = [asyncio.create_task(worker.submit(word)) for word in "ab"]
        while not upper.batches:  # noqa: ASYNC110  written by a thread
            await asyncio.sleep(0.001)
        closing = asyncio.create_task(worker.aclose())
        await asyncio.sleep(0)
        upper.may_go.set()
        await closing
        waiting[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[1]

    assert upper.batches == [["a"]]
