"""Attempts that take too long: ended in time, and nothing else is."""

from __future__ import annotations

import asyncio

import pytest

from llmeval_core.generation.attempt_timeouts import AttemptTimeouts
from llmeval_core.testing.virtual_time import virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual_time
async def test_each_attempt_ends_when_its_own_time_is_over() -> None:
    timeouts = AttemptTimeouts(10.0)
    ended: list[tuple[int, float]] = []
    began = now()

    async def attempt(number: int) -> None:
        await asyncio.sleep(number)
        try:
            with timeouts.start():
                await asyncio.sleep(1000 if number % 2 else 3)
        except TimeoutError:
            ended.append((number, now() - began))

    await asyncio.gather(*map(attempt, range(6)))

    assert ended == [(1, 11.0), (3, 13.0), (5, 15.0)]


@virtual_time
async def test_an_attempt_that_ends_in_time_leaves_nothing_behind() -> None:
    timeouts = AttemptTimeouts(10.0)

    with timeouts.start():
        await asyncio.sleep(9)
    await asyncio.sleep(100)

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@virtual_time
async def test_a_later_attempt_is_watched_after_a_long_rest() -> None:
    timeouts = AttemptTimeouts(10.0)
    with timeouts.start():
        await asyncio.sleep(1)
    await asyncio.sleep(100)
    began = now()

    with pytest.raises(TimeoutError), timeouts.start():
        await asyncio.sleep(50)

    assert now() - began == 10.0


@virtual_time
async def test_who_is_cancelled_from_outside_is_cancelled_though_time_is_over_too() -> None:
    timeouts = AttemptTimeouts(10.0)

    async def attempt() -> None:
        with timeouts.start():
            await asyncio.sleep(50)

    task = asyncio.create_task(attempt())
    asyncio.get_running_loop().call_later(10.0, task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await task


@virtual_time
async def test_an_error_of_the_attempt_stays_what_it_is() -> None:
    timeouts = AttemptTimeouts(10.0)

    async def stubborn() -> None:
        try:
            await asyncio.sleep(50)
        except asyncio.CancelledError:
            raise ValueError("cannot stop") from None

    with pytest.raises(ValueError, match="cannot stop"), timeouts.start():
        await stubborn()

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@virtual_time
async def test_closing_frees_the_timer() -> None:
    timeouts = AttemptTimeouts(10.0)
    with timeouts.start():
        await asyncio.sleep(1)

    timeouts.close()

    assert timeouts._timer is None
