"""Workers on one source."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from llmeval_core.concurrency import SharedSource, cancel_and_wait, pull


async def test_each_item_is_done_once_by_as_many_workers_as_allowed() -> None:
    done: list[int] = []
    under_way: list[int] = []

    async def source() -> AsyncIterator[int]:
        for item in range(20):
            await asyncio.sleep(0)
            yield item

    async def work(item: int) -> None:
        under_way.append(item)
        assert len(under_way) <= 3
        await asyncio.sleep(0)
        under_way.remove(item)
        done.append(item)

    await pull(source(), work, n_workers=3)

    assert sorted(done) == list(range(20))


async def test_workers_that_wait_for_the_source_go_on_together() -> None:
    arrived = asyncio.Event()
    turn = 0
    taken_in: list[int] = []

    async def source() -> AsyncIterator[int]:
        await arrived.wait()
        for item in range(50):
            yield item

    async def take(shared: SharedSource[int]) -> None:
        await anext(shared)
        taken_in.append(turn)

    shared = SharedSource(source())
    workers = [asyncio.create_task(take(shared)) for _ in range(50)]
    await asyncio.sleep(0)
    arrived.set()
    while len(taken_in) < 50:
        await asyncio.sleep(0)
        turn += 1
    await asyncio.gather(*workers)

    assert len(set(taken_in)) <= 2


async def test_the_first_error_ends_all_workers() -> None:
    async def source() -> AsyncIterator[int]:
        for item in range(100):
            yield item

    async def work(item: int) -> None:
        if item == 2:
            raise ValueError(item)
        await asyncio.Event().wait()

    with pytest.raises(ValueError, match="2"):
        await pull(source(), work, n_workers=5)


async def test_a_few_items_do_not_pay_for_all_workers() -> None:
    most = 0

    async def source() -> AsyncIterator[int]:
        for item in range(10):
            yield item

    async def work(item: int) -> None:
        nonlocal most
        await asyncio.sleep(0)
        most = max(most, len(asyncio.all_tasks()))

    await pull(source(), work, n_workers=256)

    assert most <= 1 + 16


async def test_all_workers_are_at_work_after_a_few_rounds_of_the_event_loop() -> None:
    started: list[int] = []
    go_on = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        for item in range(256):
            yield item

    async def work(item: int) -> None:
        started.append(item)
        await go_on.wait()

    pulling = asyncio.create_task(pull(source(), work, n_workers=256))
    for _ in range(10):
        await asyncio.sleep(0)
    n_started = len(started)
    go_on.set()
    await pulling

    assert n_started == 256


async def test_errors_at_the_same_time_are_raised_once_and_none_is_left_behind() -> None:
    left_behind: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: left_behind.append(about))
    go_on = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        for item in range(4):
            yield item

    async def work(item: int) -> None:
        await go_on.wait()
        raise ValueError(item)

    pulling = asyncio.create_task(pull(source(), work, n_workers=4))
    for _ in range(10):
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(ValueError, match="0"):
        await pulling
    gc.collect()

    assert left_behind == []


async def test_an_error_of_the_source_is_raised_and_leaves_no_task() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise OSError("gone")

    async def work(item: int) -> None:
        await asyncio.Event().wait()

    with pytest.raises(OSError, match="gone"):
        await pull(source(), work, n_workers=5)

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancelling_ends_all_workers() -> None:
    started: list[int] = []
    ended: list[int] = []
    all_started = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        for item in range(100):
            yield item

    async def work(item: int) -> None:
        started.append(item)
        if len(started) == 5:
            all_started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    pulling = asyncio.create_task(pull(source(), work, n_workers=5))
    await all_started.wait()
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pulling

    assert started == ended == [0, 1, 2, 3, 4]


async def test_only_as_much_is_pulled_as_is_worked_on() -> None:
    pulled: list[int] = []
    go_on = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        for item in range(100):
            pulled.append(item)
            yield item

    async def work(item: int) -> None:
        await go_on.wait()

    pulling = asyncio.create_task(pull(source(), work, n_workers=3))
    for _ in range(20):
        await asyncio.sleep(0)
    waiting = len(pulled)
    go_on.set()
    await pulling

    assert (waiting, len(pulled)) == (3, 100)


async def test_who_waits_for_cancelled_tasks_waits_however_often_it_is_cancelled() -> None:
    cleaning, clean = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            while not clean.is_set():
                try:
                    await clean.wait()
                except asyncio.CancelledError:
                    continue
        return "never"

    worker = asyncio.create_task(work())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(cancel_and_wait([worker]))
    await cleaning.wait()

    for _ in range(3):
        waiting.cancel()
        await asyncio.sleep(0)
    assert not waiting.done()
    clean.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert worker.cancelled()


async def test_tasks_that_take_no_notice_are_left_behind_in_time() -> None:
    end = asyncio.Event()

    async def work() -> None:
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue

    worker = asyncio.create_task(work())
    await asyncio.sleep(0)

    await cancel_and_wait([worker], within_s=0.01)

    assert not worker.done()
    end.set()
    await worker
