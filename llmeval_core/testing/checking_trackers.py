"""Does a tracker keep its promises?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from llmeval_core.contracts import Receipt, RunInfo, Tracker
from llmeval_core.errors import TrackerError
from llmeval_core.naming import Json
from llmeval_core.records import SampleResult, TaskResult
from llmeval_core.testing.makers import make_generation, make_request, make_sample, make_task_result


async def check_tracker(
    make: Callable[[], Tracker],
    home: Path,
    *,
    read: Callable[[], Iterable[tuple[str, str, float]]],
    broken: Callable[[], AbstractContextManager[object]] | None = None,
) -> None:
    """Deliver to a tracker in all the ways that happen, and read back what it shows.

    Args:
        make: makes the tracker anew, as a new process would.
        home: an empty folder that the tracker may use.
        read: returns what the tracker shows now, as (model, metric key, value); of a key that was
            delivered more than once only the newest value.
        broken: makes what the tracker writes to unusable meanwhile (a server that is away, a
            file in the way); None to leave that out.

    Raises:
        AssertionError: it breaks a promise of `contracts.Tracker`; the message says which.
    """
    first = make_task_result(id="r1", metrics={"exact_match": 0.75})
    if broken is not None:
        with broken():
            await _expect_refusal(make(), home, first)
    await _deliver(make(), home, [first, first])
    _expect(read, {("fake/model", "capitals_0shot_exact_match"): 0.75}, "the same result twice")

    await _deliver(make(), home, [first])
    _expect(read, {("fake/model", "capitals_0shot_exact_match"): 0.75}, "a replay after a crash")

    lower = make_task_result(id="r2", metrics={"exact_match": 0.25}, finished_at=first.finished_at)
    other = make_task_result(id="r3", dataset="rivers", metrics={"exact_match": 1.0})
    unknown = make_task_result(id="r4", dataset="lakes", metrics={"exact_match": None})
    await _deliver(make(), home, [lower, other, unknown])
    shown = {
        ("fake/model", "capitals_0shot_exact_match"): 0.25,
        ("fake/model", "rivers_0shot_exact_match"): 1.0,
    }
    _expect(read, shown, "a lower value, another data set, and a value that is unknown")

    many = [
        make_task_result(id=f"m{n}", model=f"fake/model-{n % 2}", dataset=f"d{n}") for n in range(4)
    ]
    tracker = make()
    try:
        await tracker.open(run_info(home))
        await asyncio.gather(*(tracker.deliver(result) for result in many))
    finally:
        await tracker.close()
    shown |= {(result.model, result.metrics[0].key): 0.5 for result in many}
    _expect(read, shown, "deliveries at the same time")


async def _deliver(tracker: Tracker, home: Path, results: list[TaskResult]) -> None:
    try:
        await tracker.open(run_info(home))
        for result in results:
            receipt = await tracker.deliver(result)
            assert isinstance(receipt, Receipt), "deliver() gave no Receipt"
    finally:
        await tracker.close()


async def _expect_refusal(tracker: Tracker, home: Path, result: TaskResult) -> None:
    error: Exception | None = None
    try:
        await _deliver(tracker, home, [result])
    except Exception as err:  # noqa: BLE001  any other error is what is looked for
        error = err
    assert error is not None, "it took a result although what it writes to is broken"
    if not isinstance(error, TrackerError):
        name = type(error).__name__
        raise AssertionError(f"it raises {name}; only TrackerError is understood") from error
    assert error.what.strip(), "the error says nothing"
    assert not error.permanent, "the error is permanent: the result would never come again"


def run_info(home: Path, *, tracker: str = "tracker") -> RunInfo:
    """Make what a tracker is told when it opens; each result has two samples."""
    return RunInfo(tracker, home, _plan, lambda result: _samples())


def _plan(result: TaskResult) -> dict[str, Json]:
    return {"fingerprint": result.plan_fingerprint, "tasks": [{"key": result.task}]}


def _samples() -> Iterable[SampleResult]:
    for index, answer in enumerate(("Paris", "Rome")):
        yield SampleResult(
            index=index,
            sample=make_sample(id=f"s{index}"),
            request=make_request(),
            generation=make_generation(answer),
            scores={},
        )


def _expect(
    read: Callable[[], Iterable[tuple[str, str, float]]],
    expected: dict[tuple[str, str], float],
    after: str,
) -> None:
    rows = list(read())
    shown = {(model, key): value for model, key, value in rows}
    assert len(rows) == len(shown), f"after {after}: a key is shown more than once: {rows}"
    missing = {key: value for key, value in expected.items() if shown.get(key) != value}
    assert not missing, f"after {after}: expected {missing}, it shows {shown}"
    more = {key for key in shown if key not in expected and not key[1].endswith("_stderr")}
    assert not more, f"after {after}: it shows more than was delivered: {more}"
