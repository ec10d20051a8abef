"""Does a tracker keep its promises?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from llmeval_core.contracts import Readiness, Receipt, RunInfo, Tracker, TrackerCheck
from llmeval_core.errors import TrackerError
from llmeval_core.naming import Json
from llmeval_core.records import Aggregate, SampleResult, TaskResult
from llmeval_core.testing.makers import make_generation, make_request, make_sample, make_task_result
from llmeval_core.testing.offline import offline

Row = tuple[str, str, float]
"""What a tracker shows: model, metric key, value."""

_ODD_MODELS = (
    "local/it's",
    'local/say "hi"',
    "local/both ' and \"",
    "local/back\\slash",
    "local/100%_%",
    "local/日本語・モデル",
    "local/x' AND params.b = 'y",
    "local/GPT-4o",
    "local/gpt-4o",
)
_ODD_METRICS = ("pass@1", "pass%1", "pass_1", "正解率・全体", "f1 (macro)", "a//b", "x" * 300)


async def check_tracker(
    make: Callable[[], Tracker],
    home: Path,
    *,
    read: Callable[[], Iterable[Row]],
    broken: Callable[[], AbstractContextManager[object]] | None = None,
) -> None:
    """Deliver to a tracker in all the ways that happen, and read back what it shows.

    The same result twice, at once, from another process, after it was overtaken, after a cancelled
    attempt; lower values; values that are unknown; several models and several trackers at once;
    names that no format likes; and, with `broken`, a place that cannot be written. If it can check
    whether it could be used, it has to say so offline, and to write nothing.

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
    _check_readiness(make(), home)
    if broken is not None:
        with broken():
            await _expect_refusal(make(), home, make_task_result(id="r1"))
    board = _Board(make, home, read)
    await _check_repeats(board)
    await _check_new_values(board)
    await _check_cancelled(board)
    await _check_together(board)
    await _check_models(board)
    await _check_metric_names(board)


def _check_readiness(tracker: Tracker, home: Path) -> None:
    if not isinstance(tracker, TrackerCheck):
        return
    before = sorted(home.rglob("*"))
    with offline("check()"):
        found = tracker.check(home)
    assert isinstance(found, Readiness), f"check() gave a {type(found).__name__}, not a Readiness"
    assert not found.is_disabled, "check() says that it is disabled"
    assert sorted(home.rglob("*")) == before, "check() writes files"


class _Board:
    """What the tracker should show by now."""

    def __init__(
        self, make: Callable[[], Tracker], home: Path, read: Callable[[], Iterable[Row]]
    ) -> None:
        self.make = make
        self.home = home
        self.read = read
        self.shown: dict[tuple[str, str], float] = {}

    async def deliver(self, *results: TaskResult) -> None:
        """Deliver with a new tracker, as a new process would."""
        await _deliver(self.make(), self.home, list(results))

    def expect(self, *results: TaskResult, after: str) -> None:
        """Compare what is shown with all that was expected so far and the newest results."""
        for result in results:
            for metric in result.metrics:
                if metric.aggregate.value is not None:
                    self.shown[result.model, metric.key] = metric.aggregate.value
        _expect(self.read, self.shown, after)


async def _check_repeats(board: _Board) -> None:
    first = make_task_result(id="r1", metrics={"exact_match": 0.75})
    await board.deliver(first, first)
    board.expect(first, after="the same result twice")

    await board.deliver(first)
    board.expect(first, after="a replay after a crash")


async def _check_new_values(board: _Board) -> None:
    lower = make_task_result(id="r2", metrics={"exact_match": 0.25})
    other = make_task_result(id="r3", dataset="rivers", metrics={"exact_match": 1.0})
    unknown = make_task_result(id="r4", dataset="lakes", metrics={"exact_match": None, "f1": 0.5})
    await board.deliver(lower, other, unknown)
    board.expect(
        lower, other, unknown, after="a lower value, another data set, and a value that is unknown"
    )

    earlier = make_task_result(id="r5", metrics={"exact_match": 0.125}, finished_at=1_600_000_000.0)
    await board.deliver(earlier)
    board.expect(earlier, after="a new value from a machine whose clock is late")

    await board.deliver(lower)
    board.expect(after="a replay of a result that has been overtaken")


async def _check_cancelled(board: _Board) -> None:
    result = make_task_result(id="c1", dataset="cancelled")
    tracker = board.make()
    try:
        await tracker.open(run_info(board.home))
        attempt = asyncio.create_task(_deliver_one(tracker, result))
        await asyncio.sleep(0)
        attempt.cancel()
        await asyncio.wait((attempt,))
        await tracker.deliver(result)
    finally:
        await tracker.close()
    board.expect(result, after="a delivery that was cancelled and came again")


async def _check_together(board: _Board) -> None:
    many = [
        make_task_result(id=f"m{n}", model=f"fake/model-{n % 2}", dataset=f"d{n}") for n in range(4)
    ]
    tracker = board.make()
    try:
        await tracker.open(run_info(board.home))
        await asyncio.gather(*(tracker.deliver(result) for result in many))
    finally:
        await tracker.close()
    board.expect(*many, after="deliveries at the same time")

    more = [make_task_result(id=f"t{n}", model="fake/two", dataset=f"d{n}") for n in range(4)]
    trackers = [board.make(), board.make()]
    try:
        for tracker in trackers:
            await tracker.open(run_info(board.home))
        await asyncio.gather(
            *(trackers[n % 2].deliver(result) for n, result in enumerate(more)),
        )
    finally:
        for tracker in trackers:
            await tracker.close()
    board.expect(*more, after="two trackers that write to one model at the same time")


async def _check_models(board: _Board) -> None:
    results = [
        make_task_result(id=f"o{n}", model=model, metrics={"exact_match": n / 100})
        for n, model in enumerate(_ODD_MODELS)
    ]
    await board.deliver(*results)
    await board.deliver(*results)
    board.expect(*results, after="models with odd names")


async def _check_metric_names(board: _Board) -> None:
    """Deliver keys that many formats refuse: the tracker may rename them, but never merge two."""
    values = [(n + 1) / 100 for n in range(len(_ODD_METRICS))]
    result = make_task_result(
        id="n1", model="fake/odd", metrics=dict(zip(_ODD_METRICS, values, strict=True))
    )
    bare = tuple(
        metric.model_copy(update={"aggregate": Aggregate(value=metric.aggregate.value)})
        for metric in result.metrics
    )
    await board.deliver(result.model_copy(update={"metrics": bare}))
    rows = [(model, key, value) for model, key, value in board.read() if model == "fake/odd"]
    shown = sorted(value for _, _, value in rows)
    assert shown == values, (
        f"after metrics with odd names: expected the values {values}, it shows {rows}"
    )


async def _deliver_one(tracker: Tracker, result: TaskResult) -> Receipt:
    return await tracker.deliver(result)


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
    read: Callable[[], Iterable[Row]],
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
