"""Do a task and a solver keep their promises? Above all: do they ask the same again?"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from inspect import isawaitable
from typing import get_args

from llmeval_core.contracts import (
    MODEL,
    Item,
    Question,
    Solver,
    SolverInput,
    Task,
    TaskSource,
    Tool,
    UnansweredError,
)
from llmeval_core.naming import NAME_PATTERN
from llmeval_core.records import (
    Generation,
    GenerationSettings,
    Message,
    Mode,
    Sample,
    Score,
    sample_problem,
)
from llmeval_core.scoring import MetricScores, split_scores
from llmeval_core.testing.recording_ask import Answering, RecordingAsk, trial_answer

_SAMPLES = (
    Sample("a", "What is 2 + 3?", ("5",)),
    Sample("b", "Where does the sun rise?", ("in the east",)),
)


async def check_task(
    task: Task,
    *,
    answer: Answering = trial_answer,
    most: int = 20,
    judges_thoughts: bool = False,
) -> list[Mapping[str, Score]]:
    """Answer and score the first items of a task, several times; return their scores.

    The failure of a metric that cannot score an item is none of its scores.

    Args:
        task: the task.
        answer: answers its questions, equal ones equally.
        most: how many items are looked at; the order of all is.
        judges_thoughts: whether it means to judge what a model thinks before it answers. Otherwise
            a thought between tags before each answer must change no score.

    Raises:
        AssertionError: it breaks a promise of `contracts.Task`; the message says which.
    """
    assert not isinstance(task, TaskSource), (
        f"{type(task).__name__} is a TaskSource: `check_task_source` is for that"
    )
    _check_names(task)
    items = _checked_items(task, most)
    alone = [await _check_item(task, item, answer) for item in items]
    together = await asyncio.gather(*[_run(task, item, answer) for item in items])
    assert together == alone, "items that run at the same time get other scores"
    scores = [split_scores(one)[0] for one in alone]
    for item, known in zip(items, scores, strict=True) if not judges_thoughts else ():
        await _check_thoughts(task, item, answer, known)
    for name, info in task.metrics.items():
        listed = [one[name] for one in scores if name in one]
        aggregate = info.aggregate(iter(listed))
        assert info.aggregate(iter(listed)) == aggregate, f"the aggregate of {name} changes"
        for number in (aggregate.value, aggregate.stderr):
            assert number is None or math.isfinite(number), f"the aggregate of {name} is not finite"
        assert info.aggregate(iter(())).value is None, f"{name} of nothing should be None"
    return list(scores)


async def check_solver(
    solver: Solver,
    *,
    answer: Answering = trial_answer,
    samples: Sequence[Sample] = _SAMPLES,
    tools: Mapping[str, Tool] | None = None,
) -> list[Generation]:
    """Let a solver answer samples, several times; return its answers.

    Samples that it says it cannot solve, by a ValueError, have none.

    Args:
        solver: the solver.
        answer: answers its questions, equal ones equally.
        samples: what it answers.
        tools: what it may let models call, by name.

    Raises:
        AssertionError: it breaks a promise of `contracts.Solver`; the message says which.
    """
    assert solver.definition.strip(), "the definition id is empty"
    _check_modes(solver.modes)
    _check_roles(solver.roles)
    answers = []
    for sample, mode in itertools.product(samples, sorted(solver.modes)):
        start = SolverInput(sample, _question(sample, mode), _text, tools or {})
        first, second = RecordingAsk(solver.roles, answer), RecordingAsk(solver.roles, answer)
        try:
            found = await solver.solve(start, first)
        except ValueError:  # a sample that it cannot solve, which it may say
            continue
        assert isinstance(found, Generation), f"solve() gave a {type(found).__name__}"
        assert await solver.solve(start, second) == found, "it answers otherwise the second time"
        _check_same(first, second)
        _check_asked(first, solver.modes)
        for place in range(min(len(first.asked), 3)):
            failing = RecordingAsk(solver.roles, answer, fails_at=place)
            with suppress(UnansweredError):
                await solver.solve(start, failing)
        answers.append(found)
    return answers


def _text(generation: Generation) -> str:
    return generation.text


def _question(sample: Sample, mode: Mode) -> Question:
    settings = GenerationSettings(max_tokens=16, seed=1)
    if mode == "chat":
        return Question((Message("user", sample.input_text),), settings=settings)
    weighed = (" yes", " no") if mode == "loglikelihood" else ()
    return Question((), sample.input_text, weighed, mode=mode, settings=settings)


def _check_names(task: Task) -> None:
    assert NAME_PATTERN.fullmatch(task.name), f"its name '{task.name}' has a space, slash or colon"
    assert isinstance(task.n_shots, int), "n_shots is no int"
    assert task.n_shots >= 0, "n_shots is negative"
    assert task.metrics, "it has no metric"
    for name, info in task.metrics.items():
        assert NAME_PATTERN.fullmatch(name), f"metric '{name}' has a space, slash or colon"
        assert info.definition.strip(), f"the definition id of {name} is empty"
    _check_modes(task.modes)
    _check_roles(task.roles)
    assert task.fingerprint(), "its fingerprint is empty"
    assert task.fingerprint() == task.fingerprint(), "its fingerprint changes"


def _check_modes(modes: frozenset[Mode]) -> None:
    assert modes, "it has no mode"
    unknown = sorted(modes - {*get_args(Mode)})
    assert not unknown, f"there is no mode '{unknown[0]}'"


def _check_roles(roles: Mapping[str, int]) -> None:
    for name, n_requests in roles.items():
        assert isinstance(n_requests, int), f"roles: '{name}' has no number of requests"
        assert n_requests >= 0, f"roles: '{name}' has a negative number of requests"


def _checked_items(task: Task, most: int) -> list[Item]:
    items: list[Item] = []
    ids: list[str] = []
    for index, item in enumerate(task.items()):
        assert isinstance(item, Item), f"item {index} is a {type(item).__name__}, not an Item"
        problem = sample_problem(item.sample, index)
        assert problem is None, problem
        ids.append(item.sample.id)
        if len(items) < most:
            items.append(item)
    assert items, "it has no item"
    assert len(set(ids)) == len(ids), "two items have the same id"
    assert [item.sample.id for item in task.items()] == ids, "its items change their order"
    size = task.size()
    assert size in (None, len(ids)), f"size() is {size}, and there are {len(ids)} items"
    return items


async def _check_item(task: Task, item: Item, answer: Answering) -> MetricScores:
    """Run an item twice, and once more for each of its first questions, which is not answered."""
    first, second = RecordingAsk(task.roles, answer), RecordingAsk(task.roles, answer)
    scores = await _run(task, item, answer, first)
    again = await _run(task, item, answer, second)
    where = f"item '{item.sample.id}'"
    _check_same(first, second)
    _check_asked(first, task.modes)
    assert list(scores) == list(again), f"{where}: other metrics the second time"
    assert scores == again, f"{where}: another score the second time"
    assert set(scores) == set(task.metrics), f"{where}: scored by {sorted(scores)}"
    found, _ = split_scores(scores)
    for name, score in found.items():
        numbers = score.parts if score.value is None else (score.value, *score.parts)
        assert all(map(math.isfinite, numbers)), f"{where}: {name} is not finite"
    for place in range(min(len(first.asked), 3)):
        failing = RecordingAsk(task.roles, answer, fails_at=place)
        with suppress(UnansweredError, ValueError):
            await _run(task, item, answer, failing)
    return scores


async def _check_thoughts(
    task: Task, item: Item, answer: Answering, known: Mapping[str, Score]
) -> None:
    """Run an item once more, with a thought before each answer that has the right one in it."""
    sample = item.sample
    thought = " ".join((sample.input_text, *sample.references, *sample.choices))

    def thinking(question: Question, role: str) -> Generation:
        given = answer(question, role)
        return replace(given, texts=tuple(f"<think>{thought}</think>{one}" for one in given.texts))

    scores, _ = split_scores(await _run(task, item, thinking))
    assert {name: (one.value, one.parts) for name, one in scores.items()} == {
        name: (one.value, one.parts) for name, one in known.items()
    }, (
        f"item '{sample.id}': a thought before each answer (<think>...</think>) changes its scores;"
        " take the text of an answer by `ask.without_reasoning(answer)`, where it is scored and"
        " where it is told to a model, or pass `judges_thoughts=True` if that is meant"
    )


async def _run(
    task: Task, item: Item, answer: Answering, ask: RecordingAsk | None = None
) -> MetricScores:
    asking = ask or RecordingAsk(task.roles, answer)
    answers = await task.answer(item, asking)
    assert answers, f"item '{item.sample.id}': answer() gave nothing"
    scored = task.score(item, answers, asking)
    return dict(await scored if isawaitable(scored) else scored)


def _check_same(first: RecordingAsk, second: RecordingAsk) -> None:
    for place, (one, other) in enumerate(zip(first.asked, second.asked, strict=False)):
        assert one == other, f"its question {place} is another one the second time: {other[0]}"
    assert len(first.asked) == len(second.asked), "it asks another number of questions"


def _check_asked(ask: RecordingAsk, modes: frozenset[Mode]) -> None:
    for question, role in ask.asked:
        if role == MODEL:
            assert question.mode in modes, f"it asks in mode '{question.mode}', not one of its own"
