"""How a run ends that does not come to its end: a stop, a bug, a broken journal."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llmeval_core.engine import SilentProgress, queue_runner
from llmeval_core.engine import run as engine_run
from llmeval_core.engine.progress import SilentMeter
from llmeval_core.errors import JournalError
from llmeval_core.journal import JOURNAL_FILE, Journal, JournalQueries
from llmeval_core.plan import PlannedTask
from llmeval_core.records import Generation, Request, Sample, SampleResult
from llmeval_core.testing import FakeDataset, FakeModel, ListTracker, run_in
from llmeval_core.testing.running import plan_of


class SlowToOpen(FakeModel):
    """Is opened for ever, and says when that begins."""

    def __init__(self) -> None:
        super().__init__()
        self.began = asyncio.Event()

    async def open(self, model: str) -> FakeModel:
        self.began.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_stop_does_not_wait_for_a_model_that_is_being_opened(tmp_path: Path) -> None:
    model, stop, tracker = SlowToOpen(), asyncio.Event(), ListTracker()
    started = time.monotonic()
    running = asyncio.create_task(
        run_in(tmp_path, models={"fake": model}, trackers={"list": tracker}, stop=stop)
    )
    await model.began.wait()

    stop.set()
    outcome = await running

    assert outcome.summary.interrupted
    assert outcome.summary.n_unfinished == 1
    assert tracker.n_closed == 1
    assert time.monotonic() - started < 5


async def test_a_run_that_is_cancelled_again_and_again_holds_no_lock(tmp_path: Path) -> None:
    answers = asyncio.Event()

    class Waiting(FakeModel):
        async def generate(self, request: Request) -> Generation:
            self.requests.append(request)
            if len(self.requests) == 2:
                answers.set()
                await asyncio.Event().wait()
            return Generation(("x",))

    running = asyncio.create_task(run_in(tmp_path, models={"fake": Waiting()}, concurrency=1))
    await answers.wait()

    while not running.done():
        running.cancel()
        await asyncio.sleep(0)

    assert running.cancelled()
    async with asyncio.timeout(10):
        outcome = await run_in(tmp_path)
    assert outcome.summary.n_unfinished == 0


async def test_a_stop_lets_requests_under_way_finish(tmp_path: Path) -> None:
    stop, under_way, answers = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Waiting(FakeModel):
        async def generate(self, request: Request) -> Generation:
            self.requests.append(request)
            if len(self.requests) == 3:
                under_way.set()
            await answers.wait()
            return Generation(("x",))

    model = Waiting()
    running = asyncio.create_task(
        run_in(
            tmp_path,
            datasets={"fake": FakeDataset(50)},
            models={"fake": model},
            stop=stop,
            concurrency=3,
        )
    )
    await under_way.wait()
    stop.set()
    await asyncio.sleep(0)
    answers.set()
    outcome = await running

    assert outcome.summary.n_requests == len(model.requests) == 3
    with Journal(tmp_path) as journal:
        assert journal.read(JournalQueries.totals, 1).n_samples == 3


async def test_a_stop_gives_up_requests_that_do_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, asked = asyncio.Event(), asyncio.Event()

    class Silent(FakeModel):
        async def generate(self, request: Request) -> Generation:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    model = Silent()
    for module in (engine_run, queue_runner):
        monkeypatch.setattr(module, "STOP_GRACE_S", 0.05)
    running = asyncio.create_task(run_in(tmp_path, models={"fake": model}, stop=stop))
    await asked.wait()

    stop.set()
    outcome = await running

    assert outcome.summary.interrupted
    assert model.n_closed == 1


async def test_a_stop_ends_the_waiting_for_another_process(tmp_path: Path) -> None:
    stop, waiting = asyncio.Event(), asyncio.Event()

    class Watching(SilentProgress):
        def waiting(self, model: str, task: str) -> None:
            waiting.set()

    model = FakeModel()
    with Journal(tmp_path) as journal:
        held = journal.try_lock(f"task-{_task(model).cache_key}")
        assert held is not None
        running = asyncio.create_task(
            run_in(tmp_path, models={"fake": model}, stop=stop, progress=Watching())
        )
        await waiting.wait()
        stop.set()
        outcome = await running
        held.release()

    assert outcome.summary.interrupted
    assert model.requests == []


def _task(model: FakeModel) -> PlannedTask:
    return plan_of(models={"fake": model}).evaluations[0].tasks[0]


async def test_a_run_that_is_stopped_before_it_begins_asks_nothing(tmp_path: Path) -> None:
    stop, model = asyncio.Event(), FakeModel()
    stop.set()

    outcome = await run_in(tmp_path, models={"fake": model}, stop=stop)

    assert outcome.summary.n_unfinished == 1
    assert model.n_opened == 0


async def test_a_bug_of_ours_ends_the_run_closes_the_model_and_keeps_what_is_done(
    tmp_path: Path,
) -> None:
    class Meter(SilentMeter):
        def sample_finished(self, result: SampleResult, *, n_under_way: int) -> None:
            if result.sample.id == "20":
                raise KeyError("choices")

    class Buggy(SilentProgress):
        def task_started(self, model: str, task: str, n_samples: int | None) -> Meter:
            return Meter()

    model, tracker = FakeModel(), ListTracker()

    with pytest.raises(KeyError, match="choices"):
        await run_in(
            tmp_path,
            datasets={"fake": FakeDataset(50)},
            models={"fake": model},
            trackers={"list": tracker},
            progress=Buggy(),
            concurrency=4,
        )

    assert (model.n_closed, tracker.n_closed) == (1, 1)
    second = FakeModel()
    await run_in(tmp_path, datasets={"fake": FakeDataset(50)}, models={"fake": second})
    assert {int(request.sample_id) for request in second.requests} >= set(range(30, 50))
    assert len(second.requests) <= 33


async def test_an_interruption_inside_a_model_ends_the_run_and_keeps_what_is_done(
    tmp_path: Path,
) -> None:
    def run() -> None:
        def answer(text: str) -> str:
            if text.endswith(" 20"):
                raise KeyboardInterrupt
            return text

        asyncio.run(
            run_in(
                tmp_path,
                datasets={"fake": FakeDataset(50)},
                models={"fake": FakeModel(answer)},
                concurrency=1,
            )
        )

    with pytest.raises(KeyboardInterrupt):
        await asyncio.to_thread(run)

    with Journal(tmp_path) as journal:
        assert journal.read(JournalQueries.totals, 1).n_samples == 20


async def test_a_journal_that_breaks_ends_the_run_while_other_requests_are_under_way(
    tmp_path: Path,
) -> None:
    class Breaking(FakeModel):
        """Before its eleventh answer somebody takes a table out of the journal."""

        async def generate(self, request: Request) -> Generation:
            answer = await super().generate(request)
            if len(self.requests) == 11:
                with closing(sqlite3.connect(tmp_path / JOURNAL_FILE)) as connection:
                    connection.execute("DROP TABLE sample_scores")
            return answer

    model, tracker = Breaking(latency_s=0.001), ListTracker()

    with pytest.raises(JournalError, match="the journal failed: no such table"):
        await run_in(
            tmp_path,
            datasets={"fake": FakeDataset(2000)},
            models={"fake": model},
            trackers={"list": tracker},
            concurrency=8,
        )

    assert len(model.requests) < 2000
    assert (model.n_closed, tracker.n_closed) == (1, 1)


async def test_a_data_set_that_ends_in_the_middle_leaves_nothing_under_way(
    tmp_path: Path,
) -> None:
    class Torn(FakeDataset):
        def samples(self) -> Iterator[Sample]:
            yield from super().samples()
            raise OSError("the disk was pulled out")

    model = FakeModel(latency_s=0.001)

    outcome = await run_in(tmp_path, datasets={"fake": Torn(300)}, models={"fake": model})

    assert [error.what for error in outcome.errors] == [
        "data set 'fake' cannot be read: OSError: the disk was pulled out"
    ]
    assert model.n_closed == model.n_opened
    assert asyncio.all_tasks() == {asyncio.current_task()}
