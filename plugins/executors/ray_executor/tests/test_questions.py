"""How requests are shared among workers, without any."""

from __future__ import annotations

import asyncio

from llmeval_ray_executor.questions import Questions
from llmeval_ray_executor.wire import Answer, Refusal, packed, unpacked_answers, unpacked_questions

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


async def asked(questions: Questions, n: int) -> list[asyncio.Task[Generation]]:
    """Ask so many requests."""
    tasks = [asyncio.create_task(questions.ask(request(number))) for number in range(n)]
    await asyncio.sleep(0)
    return tasks


async def test_a_worker_takes_no_more_than_its_share_of_all_that_is_asked() -> None:
    questions = Questions(chunk_size=100)
    questions.n_workers = 2
    tasks = await asked(questions, 4)

    one = questions.take(WORKER, room=100, n_under_way=0)
    more = questions.take(WORKER, room=100, n_under_way=len(one))
    other = questions.take(OTHER, room=100, n_under_way=0)

    assert [len(one), len(more), len(other)] == [2, 0, 2]
    for task in tasks:
        task.cancel()


async def test_no_message_has_more_than_a_chunk() -> None:
    questions = Questions(chunk_size=100)
    questions.n_workers = 1
    tasks = await asked(questions, 250)

    taken = [len(questions.take(WORKER, room=1000, n_under_way=n)) for n in (0, 100, 200)]

    assert taken == [100, 100, 50]
    for task in tasks:
        task.cancel()


async def test_who_has_least_under_way_is_woken_first() -> None:
    questions = Questions(chunk_size=100)
    busy, idle = asyncio.Event(), asyncio.Event()
    questions.wake_when_more(busy, 3)
    questions.wake_when_more(idle, 1)

    (task,) = await asked(questions, 1)

    assert (idle.is_set(), busy.is_set()) == (True, False)
    task.cancel()


async def test_who_found_work_meanwhile_is_not_woken_in_anothers_place() -> None:
    questions = Questions(chunk_size=100)
    full, idle = asyncio.Event(), asyncio.Event()
    questions.wake_when_more(full, 0)
    questions.wake_when_more(idle, 1)
    questions.no_longer_idle(full)

    (task,) = await asked(questions, 1)

    assert (idle.is_set(), full.is_set()) == (True, False)
    task.cancel()


async def test_a_suspect_is_asked_alone_though_others_wait() -> None:
    questions = Questions(chunk_size=100)
    questions.n_workers = 2
    tasks = await asked(questions, 10)
    (suspect,) = questions.take(WORKER, room=1, n_under_way=0)
    suspect.n_lost = 1
    questions.give_back([suspect], "killed")

    dry = questions.take(WORKER, room=4, n_under_way=3)
    other = questions.take(OTHER, room=4, n_under_way=0)
    alone = questions.take(WORKER, room=4, n_under_way=0)
    after = questions.take(OTHER, room=4, n_under_way=0)

    assert (dry, alone) == ([], [suspect])
    assert suspect not in other + after
    assert len(other) == len(after) == 4
    for task in tasks:
        task.cancel()


def test_what_travels_arrives_as_it_was() -> None:
    questions = [(number, request(number)) for number in range(3)]
    answers: list[Answer] = [
        (1, Generation(("yes", "no"), (), "stop", 3, 4, 0.5, "m", 1.5)),
        (2, Generation(loglikelihoods=(Loglikelihood(-1.5, 2, is_greedy=True),))),
        (3, Refusal("rate_limit", "too fast", retry_after_s=2.0)),
    ]

    assert unpacked_questions(packed(questions)) == questions
    assert unpacked_answers(packed(answers)) == answers
