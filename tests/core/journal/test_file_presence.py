"""A journal that vanishes while it is in use: told at once, and nothing more is asked or paid."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from llmeval_core.engine import run_plan
from llmeval_core.errors import JournalError
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.testing import FakeDataset, FakeModel
from llmeval_core.testing.running import plan_of

GONE = "the journal is gone: it was deleted or moved while it was in use"
N = 5000


def _delete(home: Path) -> None:
    shutil.rmtree(home)


def _move(home: Path) -> None:
    home.rename(home.with_name("moved"))


def _delete_file(home: Path) -> None:
    (home / "journal.sqlite").unlink()


def _replace(home: Path) -> None:
    copy = home / "copy"
    shutil.copy(home / "journal.sqlite", copy)
    copy.replace(home / "journal.sqlite")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_delete, GONE),
        (_move, GONE),
        (_delete_file, GONE),
        (_replace, "the journal was replaced by another file while it was in use"),
    ],
)
async def test_a_run_ends_at_once_and_says_why(
    harm: Callable[[Path], None], told: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    model = FakeModel(latency_s=0.002)
    plan = plan_of(models={"fake": model}, datasets={"fake": FakeDataset(N)}, concurrency=4)

    with Journal(home) as journal:
        running = asyncio.create_task(run_plan(plan, journal))
        while len(model.requests) < 20 and not running.done():  # noqa: ASYNC110  of the model's
            await asyncio.sleep(0)
        harm(home)
        with pytest.raises(JournalError) as caught:
            await asyncio.wait_for(running, 60)

    assert caught.value.what == told
    assert caught.value.where == str(home / "journal.sqlite")
    assert len(model.requests) < N
    assert not (home / "journal.sqlite").exists() or harm is _replace


def test_no_empty_journal_takes_the_place_of_one_that_is_gone(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        (tmp_path / "journal.sqlite").unlink()

        with pytest.raises(JournalError, match="the journal is gone"), journal.reader():
            pass
        with pytest.raises(JournalError, match="the journal is gone"):
            journal.try_lock("x")

    assert not (tmp_path / "journal.sqlite").exists()


def test_a_journal_that_was_moved_back_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Journal(home) as journal:
        home.rename(tmp_path / "away")
        with pytest.raises(JournalError):
            journal.try_lock("x")
        (tmp_path / "away").rename(home)

        assert journal.read(JournalQueries.tasks) == []
        lock = journal.try_lock("x")

    assert lock is not None
    lock.release()
