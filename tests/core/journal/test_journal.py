"""The journal: what is committed stays, whoever else writes and whatever breaks."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from llmeval_core.errors import JournalError
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.records import Failure, SampleResult, Score
from llmeval_core.testing import make_generation, make_request, make_sample, run_in


def result(index: int, *, failure: Failure | None = None) -> SampleResult:
    return SampleResult(
        index=index,
        sample=make_sample(id=str(index), category="even" if index % 2 == 0 else "odd"),
        request=make_request(f"question {index}"),
        generation=None if failure else make_generation(f"answer {index}"),
        scores={} if failure else {"m": Score(float(index), "parsed", (1.0, 2.0))},
        failure=failure,
    )


async def test_what_was_recorded_is_read_back_after_a_restart(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("f", model="m", key="k", metrics=["m"])
        for index in (2, 0, 1):
            await journal.record(task, result(index))

    with Journal(tmp_path) as journal, journal.reader() as reader:
        found = list(reader.sample_results(task.id))

    assert [item.index for item in found] == [0, 1, 2]
    assert [item.generation for item in found] == [make_generation(f"answer {n}") for n in range(3)]
    assert found[1].request is not None
    assert found[1].request.messages == make_request("question 1").messages
    assert found[1].scores == {"m": Score(1.0, "parsed", (1.0, 2.0))}


async def test_scores_come_in_sample_order_and_by_category(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("f", model="m", key="k", metrics=["m"])
        for index in (4, 1, 3, 0, 2):
            await journal.record(task, result(index))
        await journal.flush()
        with journal.reader() as reader:
            whole = [score.value for score in reader.scores(task, "m")]
            odd = [score.value for score in reader.scores(task, "m", "odd")]

    assert whole == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert odd == [1.0, 3.0]


async def test_failed_samples_are_not_done_and_finished_ones_are(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("f", model="m", key="k", metrics=["m"])
        await journal.record(task, result(0))
        await journal.record(task, result(1, failure=Failure("timeout", "late")))
        await journal.flush()

        assert journal.read(JournalQueries.finished_indices, task.id, 0, 9) == {0}
        assert journal.read(JournalQueries.totals, task.id).n_failed == 1


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    connection.execute("PRAGMA user_version=99")
    connection.close()

    with pytest.raises(JournalError) as caught:
        Journal(tmp_path)

    assert str(caught.value) == (
        "the journal has version 99, this llmeval knows 7\n"
        f"  where: {tmp_path / 'journal.sqlite'}\n"
        "  try:   upgrade llmeval-core, or choose another folder with --home DIR"
    )


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_text("my diary, not a database" * 100)

    with pytest.raises(JournalError, match="file is not a database"):
        Journal(tmp_path)

    assert (tmp_path / "journal.sqlite").read_text().startswith("my diary")


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalError, match="file' is a file, and must be a folder"):
        Journal(tmp_path / "file" / "home")


def test_a_full_disk_ends_the_run_and_loses_nothing_that_was_committed(
    tmp_path: Path,
) -> None:
    script = (
        "import asyncio, resource, sys\n"
        "from pathlib import Path\n"
        "from llmeval_core.errors import JournalError\n"
        "from llmeval_core.testing import FakeDataset, FakeModel, run_in\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
        "try:\n"
        "    asyncio.run(run_in(Path(sys.argv[1]), datasets={'fake': FakeDataset(20_000)},\n"
        "        models={'fake': FakeModel()}))\n"
        "except JournalError as err:\n"
        "    print(err)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("the journal failed: ")
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def test_two_journals_on_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    with Journal(tmp_path) as one, Journal(tmp_path) as other:
        first = one.begin_task("f", model="m", key="k", metrics=["m"])
        second = other.begin_task("f", model="m", key="k", metrics=["m"])
        for index in range(200):
            await (one if index % 2 else other).record(first, result(index))
        await one.flush()
        await other.flush()

        assert first == second
        assert one.read(JournalQueries.totals, first.id).n_samples == 200


async def test_a_journal_is_small_and_whole_after_a_run(tmp_path: Path) -> None:
    await run_in(tmp_path)

    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    tables = ("generations", "samples", "sample_scores", "results")
    counts = [connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables]
    connection.close()

    assert counts == [3, 3, 3, 1]


def test_a_lock_is_held_by_one_and_free_when_it_is_released(tmp_path: Path) -> None:
    with Journal(tmp_path) as one, Journal(tmp_path) as other:
        held = one.try_lock("task-a")
        assert held is not None

        assert other.try_lock("task-a") is None
        assert other.try_lock("task-b") is not None
        held.release()
        assert other.try_lock("task-a") is not None


def test_a_lock_is_free_when_the_process_that_held_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from llmeval_core.journal import Journal\n"
        "lock = Journal(Path(sys.argv[1])).try_lock('task-a')\n"
        "print(lock is not None, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with Journal(tmp_path) as journal:
            assert journal.try_lock("task-a") is None
            process.kill()
            process.wait()

            assert journal.try_lock("task-a") is not None


def test_a_lock_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        (tmp_path / "locks").write_text("in the way")

        with pytest.raises(JournalError) as caught:
            journal.try_lock("task-a")

    assert str(caught.value) == (
        f"'{tmp_path / 'locks'}' is a file, and must be a folder\n"
        f"  where: {tmp_path / 'journal.sqlite'}\n"
        "  try:   move it away, or choose another folder with --home DIR"
    )


def test_many_processes_can_make_one_journal_at_the_same_moment(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from llmeval_core.journal import Journal\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "with Journal(Path(sys.argv[1])) as journal:\n"
        "    print(journal.begin_task('f', model='m', key='k').id)\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "home")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    assert [process.communicate()[0] for process in processes] == ["1\n"] * 4


async def test_a_journal_can_be_closed_while_a_thread_still_reads(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    task = journal.begin_task("f", model="m", key="k", metrics=["m"])
    for index in range(2000):
        await journal.record(task, result(index))
    await journal.flush()
    started = threading.Event()

    def read_on() -> None:
        while True:
            journal.read(JournalQueries.finished_indices, task.id, 0, 2000)
            started.set()

    reading = asyncio.create_task(asyncio.to_thread(read_on))
    await asyncio.to_thread(started.wait)
    journal.close()

    with pytest.raises(JournalError, match="Cannot operate on a closed database"):
        await reading
