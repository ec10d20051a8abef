"""Delivery: no result is lost, no tracker disturbs another, order is kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from llmeval_core.contracts import Receipt, RunInfo
from llmeval_core.delivery import delivery_worker
from llmeval_core.engine import SilentProgress, TaskMeter, run_plan
from llmeval_core.errors import JournalError, TrackerError
from llmeval_core.journal import DeliveryRecord, DeliveryRepository, Journal
from llmeval_core.records import Generation, Request, TaskResult
from llmeval_core.testing import FakeDataset, FakeModel, ListTracker, run_in
from llmeval_core.testing.running import plan_of

TWO = {"a": FakeDataset(name="a"), "b": FakeDataset(name="b")}


def deliveries(home: Path) -> list[DeliveryRecord]:
    with Journal(home) as journal:
        return journal.deliveries(DeliveryRepository.all)


async def test_each_result_is_delivered_once(tmp_path: Path) -> None:
    tracker = ListTracker()

    outcome = await run_in(tmp_path, datasets=TWO, trackers={"list": tracker})

    assert [result.task for result in tracker.results] == ["a_0shot", "b_0shot"]
    assert tracker.n_attempts == 2
    assert tracker.n_closed == 1
    assert outcome.deliveries[0].location == "a list"


async def test_a_tracker_that_is_away_does_not_stop_the_run(tmp_path: Path) -> None:
    away = ListTracker(away=True)

    outcome = await run_in(tmp_path, datasets=TWO, trackers={"list": away})

    assert len(outcome.summary.results) == 2
    assert outcome.summary.n_undelivered == 2
    assert outcome.deliveries[0].reason == "the list is away"
    assert {one.state for one in deliveries(tmp_path)} == {"pending"}


async def test_what_was_pending_is_delivered_by_the_next_run_in_order(tmp_path: Path) -> None:
    await run_in(tmp_path, datasets=TWO, trackers={"list": ListTracker(away=True)})
    tracker = ListTracker()

    outcome = await run_in(tmp_path, datasets=TWO, trackers={"list": tracker})

    assert [result.task for result in tracker.results] == ["a_0shot", "b_0shot"]
    assert outcome.summary.n_undelivered == 0


async def test_a_broken_tracker_does_not_touch_the_others(tmp_path: Path) -> None:
    class Broken(ListTracker):
        async def deliver(self, result: TaskResult) -> Receipt:
            raise KeyError("a bug")

    good = ListTracker()

    outcome = await run_in(tmp_path, datasets=TWO, trackers={"broken": Broken(), "good": good})

    assert len(good.results) == 2
    assert outcome.deliveries[0].reason == "KeyError: 'a bug'"


async def test_an_optional_tracker_that_is_away_does_not_count(tmp_path: Path) -> None:
    plan = plan_of(trackers={"list": ListTracker(away=True)})
    optional = replace(plan, trackers=(replace(plan.trackers[0], required=False),))

    with Journal(tmp_path) as journal:
        outcome = await run_plan(optional, journal)

    assert outcome.summary.n_undelivered == 0
    assert outcome.deliveries[0].n_undelivered == 1


async def test_a_result_that_is_refused_for_good_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    class Picky(ListTracker):
        async def deliver(self, result: TaskResult) -> Receipt:
            if result.task == "a_0shot":
                raise TrackerError("not this one", permanent=True)
            return await super().deliver(result)

    tracker = Picky()

    outcome = await run_in(tmp_path, datasets=TWO, trackers={"list": tracker})

    assert [result.task for result in tracker.results] == ["b_0shot"]
    assert [d.state for d in deliveries(tmp_path)] == ["failed", "delivered"]
    assert outcome.summary.n_undelivered == 1


async def test_a_tracker_that_hangs_is_waited_for_only_so_long(tmp_path: Path) -> None:
    class Hanging(ListTracker):
        async def deliver(self, result: TaskResult) -> Receipt:
            await asyncio.Event().wait()
            raise AssertionError

    outcome = await run_in(tmp_path, trackers={"list": Hanging()}, timeouts={"delivery_s": 0.05})

    assert outcome.deliveries[0].reason == "no answer within 0.05 s"
    assert [d.state for d in deliveries(tmp_path)] == ["pending"]


async def test_a_crash_between_delivery_and_our_note_delivers_again_without_effect(
    tmp_path: Path,
) -> None:
    tracker = ListTracker()
    await run_in(tmp_path, trackers={"list": tracker})
    with Journal(tmp_path) as journal:
        (one,) = journal.deliveries(DeliveryRepository.all)
        journal.deliveries(
            DeliveryRepository.refused, one.result_id, "list", "killed", permanent=False
        )

    await run_in(tmp_path, trackers={"list": tracker})

    assert tracker.n_attempts == 2
    assert len(tracker.results) == 1


async def test_a_new_tracker_gets_results_that_others_have(tmp_path: Path) -> None:
    await run_in(tmp_path, trackers={"one": ListTracker()})
    second = ListTracker()

    await run_in(tmp_path, trackers={"one": ListTracker(), "two": second})

    assert len(second.results) == 1


async def test_a_run_that_has_nothing_new_does_not_open_its_tracker(tmp_path: Path) -> None:
    class Counting(ListTracker):
        n_opened = 0

        async def open(self, run: RunInfo) -> None:
            self.n_opened += 1

    first, second = Counting(), Counting()
    await run_in(tmp_path, trackers={"list": first})

    outcome = await run_in(tmp_path, trackers={"list": second})

    assert (first.n_opened, second.n_opened) == (1, 0)
    assert outcome.deliveries[0].n_undelivered == 0


async def test_a_tracker_is_opened_while_the_first_task_is_still_running(tmp_path: Path) -> None:
    opened = asyncio.Event()

    class Telling(ListTracker):
        async def open(self, run: RunInfo) -> None:
            opened.set()

    class Waiting(FakeModel):
        async def generate(self, request: Request) -> Generation:
            await opened.wait()
            return await super().generate(request)

    async with asyncio.timeout(30):
        outcome = await run_in(tmp_path, models={"fake": Waiting()}, trackers={"list": Telling()})

    assert outcome.summary.n_undelivered == 0


async def test_a_tracker_that_hangs_while_opening_is_waited_for_only_so_long(
    tmp_path: Path,
) -> None:
    class Hanging(ListTracker):
        async def open(self, run: RunInfo) -> None:
            await asyncio.Event().wait()

    hanging, good = Hanging(), ListTracker()

    outcome = await run_in(
        tmp_path, trackers={"hanging": hanging, "good": good}, timeouts={"delivery_s": 0.05}
    )

    assert [report.reason for report in outcome.deliveries] == ["no answer within 0.05 s", None]
    assert (hanging.n_closed, good.n_closed) == (1, 1)
    assert len(good.results) == 1


async def test_a_tracker_that_takes_no_notice_of_the_end_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    class Stubborn(ListTracker):
        async def open(self, run: RunInfo) -> None:
            while not released.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await released.wait()

    monkeypatch.setattr(delivery_worker, "CLOSE_S", 0.05)

    outcome = await run_in(tmp_path, trackers={"list": Stubborn()}, timeouts={"delivery_s": 0.05})
    released.set()

    assert outcome.deliveries[0].reason == "no answer within 0.05 s"


async def test_a_foreign_error_while_opening_leaves_results_pending(tmp_path: Path) -> None:
    class Broken(ListTracker):
        async def open(self, run: RunInfo) -> None:
            raise ImportError("No module named 'mlflow'")

    broken = Broken()

    outcome = await run_in(tmp_path, trackers={"list": broken})

    assert outcome.deliveries[0].reason == "ImportError: No module named 'mlflow'"
    assert [d.state for d in deliveries(tmp_path)] == ["pending"]
    assert broken.n_closed == 1


async def test_a_tracker_that_another_process_holds_is_waited_for_only_so_long(
    tmp_path: Path,
) -> None:
    tracker = ListTracker()
    with Journal(tmp_path) as journal:
        held = journal.try_lock("deliver-list")
        assert held is not None

        outcome = await run_in(tmp_path, trackers={"list": tracker}, timeouts={"delivery_s": 0.05})
        held.release()

    assert outcome.summary.n_undelivered == 1
    assert tracker.results == []


async def test_what_was_refused_for_good_is_tried_once_more_by_the_next_run(
    tmp_path: Path,
) -> None:
    class Refusing(ListTracker):
        async def deliver(self, result: TaskResult) -> Receipt:
            self.n_attempts += 1
            raise TrackerError("too many parameters", permanent=True)

    first, second = Refusing(), Refusing()
    await run_in(tmp_path, trackers={"list": first})

    outcome = await run_in(tmp_path, trackers={"list": second})

    assert (first.n_attempts, second.n_attempts) == (1, 1)
    assert outcome.summary.n_undelivered == 1
    assert [d.attempts for d in deliveries(tmp_path)] == [2]


async def test_what_was_refused_for_good_never_takes_the_place_of_a_newer_number(
    tmp_path: Path,
) -> None:
    class Choosy(ListTracker):
        refused: frozenset[str] = frozenset()

        async def deliver(self, result: TaskResult) -> Receipt:
            if result.id in self.refused:
                raise TrackerError("a parameter is too long", permanent=True)
            return await super().deliver(result)

    def dataset(n: int) -> dict[str, FakeDataset]:
        return {"a": FakeDataset(n, name="a")}

    older = await run_in(tmp_path, datasets=dataset(2), trackers={"list": ListTracker(away=True)})
    (old,) = older.summary.results
    choosy = Choosy()
    choosy.refused = frozenset({old.id})
    await run_in(tmp_path, datasets=dataset(3), trackers={"list": choosy})
    mended = Choosy()

    outcome = await run_in(tmp_path, datasets=dataset(3), trackers={"list": mended})

    assert [result.n_samples for result in choosy.results] == [3]
    assert mended.results == []
    assert outcome.summary.n_undelivered == 0
    assert [d.note for d in deliveries(tmp_path)] == [
        "gave way to a newer or more complete result",
        None,
    ]


async def test_a_secret_is_neither_in_a_reason_nor_in_a_receipt(tmp_path: Path) -> None:
    class Talkative(ListTracker):
        async def deliver(self, result: TaskResult) -> Receipt:
            if result.task == "b_0shot":
                raise TrackerError("no access for pa55word", hint="not even for pa55word")
            return Receipt("http://me:pa55word@host/1", "logged in as pa55word")

    plan = plan_of(datasets=TWO, trackers={"list": Talkative()})
    plan.redactor.add("pa55word")

    with Journal(tmp_path) as journal:
        outcome = await run_plan(plan, journal)

    (report,) = outcome.deliveries
    assert report.reason == "no access for *** (try: not even for ***)"
    assert report.location == "http://me:***@host/1"
    assert [(d.location, d.note, d.reason) for d in deliveries(tmp_path)] == [
        ("http://me:***@host/1", "logged in as ***", None),
        (None, None, "no access for ***"),
    ]


async def test_a_run_that_ends_in_a_bug_still_closes_its_trackers(tmp_path: Path) -> None:
    class Buggy(SilentProgress):
        def task_started(self, model: str, task: str, n_samples: int | None) -> TaskMeter:
            raise KeyError("choices")

    tracker = ListTracker()

    with pytest.raises(KeyError):
        await run_in(tmp_path, progress=Buggy(), trackers={"list": tracker})

    assert tracker.n_closed == 1


async def test_a_courier_that_cannot_work_ends_the_run_but_not_the_other_couriers(
    tmp_path: Path,
) -> None:
    (tmp_path / "locks" / "deliver-bad.lock").mkdir(parents=True)
    good = ListTracker()

    with pytest.raises(JournalError, match=r"Is a directory: .*deliver-bad\.lock"):
        await run_in(tmp_path, trackers={"bad": ListTracker(), "good": good})

    assert len(good.results) == 1
    assert good.n_closed == 1


async def test_a_tracker_that_does_not_close_is_told_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Jammed(ListTracker):
        async def close(self) -> None:
            raise RuntimeError("the lid is stuck")

    outcome = await run_in(tmp_path, trackers={"list": Jammed()})

    assert outcome.summary.n_undelivered == 0
    warnings = [one.message for one in caplog.records if one.levelno >= logging.WARNING]
    assert warnings == ["tracker 'list' did not close: RuntimeError: the lid is stuck"]


@pytest.mark.parametrize(("title", "label"), [(None, "tracker 'list'"), ("My List", "My List")])
async def test_a_delivery_is_logged_by_the_title_of_the_tracker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, title: str | None, label: str
) -> None:
    class Titled(ListTracker):
        def __init__(self) -> None:
            super().__init__()
            self.title = title

    caplog.set_level(logging.INFO, logger="llmeval")

    await run_in(tmp_path, trackers={"list": Titled()})

    assert caplog.messages == [f"{label}: delivered fake/model fake_0shot (1 metric)"]


async def test_a_tracker_that_is_away_is_asked_once_not_once_a_result(tmp_path: Path) -> None:
    away = ListTracker(away=True)
    many = {f"d{n}": FakeDataset(name=f"d{n}") for n in range(8)}

    outcome = await run_in(tmp_path, datasets=many, trackers={"list": away})

    assert outcome.summary.n_undelivered == 8
    assert away.n_attempts <= 2  # the first, and one more at the end


async def test_a_tracker_that_asks_to_wait_is_left_alone_until_the_end(tmp_path: Path) -> None:
    class Busy(ListTracker):
        async def deliver(self, result: TaskResult) -> Receipt:
            self.n_attempts += 1
            raise TrackerError("too many requests", retry_after_s=3600)

    busy = Busy()

    outcome = await run_in(tmp_path, datasets=TWO, trackers={"list": busy})

    assert busy.n_attempts == 1
    assert outcome.deliveries[0].reason == "too many requests"
