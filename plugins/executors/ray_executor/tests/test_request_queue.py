"""How the queue shares requests among workers."""

from __future__ import annotations

import asyncio

from llmeval_ray_executor.request_queue import RequestQueue
from llmeval_ray_executor.worker_messages import (
    NumberedAnswer,
    RemoteError,
    decode_answers,
    decode_requests,
    encode,
)

from llmeval_core.hooks import Generation, GenerationSettings, Loglikelihood, Message, Request

WORKER, OTHER = object(), object()


def request(number: int) -> Request:
    return Request(
        sample_id=str(number),
        mode="chat",
        messages=(Message("user", f"question {number}"),),
        prompt="",
        continuations=(),
        settings=GenerationSettings(max_tokens=8, stop=("\n",)),
        fingerprint=f"{number:032x}",
    )


async def submitted(queue: RequestQueue, n: int) -> list[asyncio.Task[Generation]]:
    """Submit so many requests."""
    tasks = [asyncio.create_task(queue.submit(request(number))) for number in range(n)]
    await asyncio.sleep(0)
    return tasks


async def test_a_worker_takes_no_more_than_its_share_of_all_that_is_asked() -> None:
    queue = RequestQueue(chunk_size=100)
    queue.n_workers = 2
    tasks = await submitted(queue, 4)

    one = queue.take(WORKER, free_capacity=100, n_in_flight=0)
    more = queue.take(WORKER, free_capacity=100, n_in_flight=len(one))
    other = queue.take(OTHER, free_capacity=100, n_in_flight=0)

    assert [len(one), len(more), len(other)] == [2, 0, 2]
    for task in tasks:
        task.cancel()


async def test_no_message_has_more_than_a_chunk() -> None:
    queue = RequestQueue(chunk_size=100)
    queue.n_workers = 1
    tasks = await submitted(queue, 250)

    taken = [len(queue.take(WORKER, free_capacity=1000, n_in_flight=n)) for n in (0, 100, 200)]

    assert taken == [100, 100, 50]
    for task in tasks:
        task.cancel()


async def test_the_worker_with_least_in_flight_is_woken_first() -> None:
    queue = RequestQueue(chunk_size=100)
    busy, idle = asyncio.Event(), asyncio.Event()
    queue.wake_on_request(busy, 3)
    queue.wake_on_request(idle, 1)

    (task,) = await submitted(queue, 1)

    assert (idle.is_set(), busy.is_set()) == (True, False)
    task.cancel()


async def test_a_worker_that_found_work_meanwhile_is_not_woken_in_anothers_place() -> None:
    queue = RequestQueue(chunk_size=100)
    full, idle = asyncio.Event(), asyncio.Event()
    queue.wake_on_request(full, 0)
    queue.wake_on_request(idle, 1)
    queue.cancel_wake(full)

    (task,) = await submitted(queue, 1)

    assert (idle.is_set(), full.is_set()) == (True, False)
    task.cancel()


async def test_a_suspected_poison_request_is_sent_alone_though_others_wait() -> None:
    queue = RequestQueue(chunk_size=100)
    queue.n_workers = 2
    tasks = await submitted(queue, 10)
    (suspect,) = queue.take(WORKER, free_capacity=1, n_in_flight=0)
    suspect.n_losses = 1
    queue.requeue([suspect], "killed")

    drained = queue.take(WORKER, free_capacity=4, n_in_flight=3)
    other = queue.take(OTHER, free_capacity=4, n_in_flight=0)
    alone = queue.take(WORKER, free_capacity=4, n_in_flight=0)
    after = queue.take(OTHER, free_capacity=4, n_in_flight=0)

    assert (drained, alone) == ([], [suspect])
    assert suspect not in other + after
    assert len(other) == len(after) == 4
    for task in tasks:
        task.cancel()


def test_what_travels_arrives_as_it_was() -> None:
    requests = [(number, request(number)) for number in range(3)]
    answers: list[NumberedAnswer] = [
        (1, Generation(("yes", "no"), (), "stop", 3, 4, 0.5, "m", 1.5)),
        (2, Generation(loglikelihoods=(Loglikelihood(-1.5, 2, is_greedy=True),))),
        (3, RemoteError("rate_limit", "too fast", retry_after_s=2.0)),
    ]

    assert decode_requests(encode(requests)) == requests
    assert decode_answers(encode(answers)) == answers
