"""Workers that are killed, disks that are full, databases that go away: every job ends.

`LLMEVAL_KILL_ROUNDS` says how often the worker is killed.
"""

from __future__ import annotations

import math
import os
import random
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmeval_server.jobs.dbos_store import DbosJobStore
from llmeval_server.jobs.job_records import Job
from llmeval_server.server_settings import ServerSettings
from pydantic import SecretStr

from llmeval_core.api import Journal, JournalQueries
from plugins.server.tests.server_processes import ServerProcesses, kill, wait_until, worker_pid
from tests.postgres_cluster import PostgresCluster

ROUNDS = int(os.environ.get("LLMEVAL_KILL_ROUNDS", "3"))


WORKER_ROUNDS = max(3, ROUNDS // 4)
"""Of the worker alone; `test_serve_kills.py` kills it too."""


def mean_of(processes: ServerProcesses, task: str) -> float | None:
    """Read the number that the journal has for a task."""
    with Journal(processes.home) as journal:
        result = journal.read(JournalQueries.current_result, "abacus/m", task)
    assert result is not None
    (metric,) = result.metrics
    return metric.aggregate.value


def true_mean(n: int) -> float:
    """Say what the number must be: every seventh answer is wrong."""
    return 1 - math.ceil(n / 7) / n


def wait_for_questions(processes: ServerProcesses, store: DbosJobStore, job: Job, n: int) -> None:
    """Return when so many questions were asked, or the job is over."""
    wait_until(lambda: len(processes.asked()) >= n or store.get(job.id).is_over, f"{n} questions")


def kill_again_and_again(processes: ServerProcesses, store: DbosJobStore, rounds: int) -> list[Job]:
    """Kill the worker at random moments while it works; return the accepted jobs."""
    moments = random.Random(rounds)
    n = 60 * rounds
    jobs = [store.submit(processes.run_file(n, "long", latency_s=0.05), name="long")]
    for i in range(rounds):
        before = len(processes.asked())
        committed = processes.committed() if i else set()
        worker = processes.start_worker()
        if i % 3:  # at work; else at any moment, its start included
            wait_for_questions(processes, store, jobs[0], before + moments.randrange(1, 60))
        else:
            with pytest.raises(subprocess.TimeoutExpired):
                worker.wait(moments.uniform(0.2, 4))
        kill(worker)
        assert not committed & set(processes.asked()[before:])
        jobs.append(store.submit(processes.run_file(5, f"short{i}"), name=f"short {i}"))
    return jobs


def test_a_worker_may_be_killed_at_any_moment(processes: ServerProcesses) -> None:
    store = processes.store()
    jobs = kill_again_and_again(processes, store, WORKER_ROUNDS)
    committed, before = processes.committed(), len(processes.asked())

    processes.start_worker()
    ended = [processes.wait_for_end(store, job.id) for job in jobs]

    assert {job.state for job in ended} == {"succeeded"}
    assert not committed & set(processes.asked()[before:])
    assert mean_of(processes, "long_0shot") == pytest.approx(true_mean(60 * WORKER_ROUNDS))
    assert mean_of(processes, "short0_0shot") == pytest.approx(true_mean(5))


def test_a_thousand_jobs_wait_and_all_of_them_end(processes: ServerProcesses) -> None:
    store = processes.store()
    for i in range(1000):
        store.submit(processes.run_file(2, f"t{i % 10}"), name=f"job {i}")
    assert store.counts()["queued"] == store.list().n_jobs == 1000
    pages = [store.list(limit=100, offset=at) for at in range(0, 1000, 100)]
    assert len({job.id for page in pages for job in page.jobs}) == 1000

    for job in (job for page in pages[3:] for job in page.jobs):
        store.cancel(job.id)
    processes.start_worker("--jobs-at-once", "40")
    wait_until(lambda: not store.counts()["queued"] + store.counts()["running"], "the end of all")

    failed = [job for job in store.list(limit=1000).jobs if job.state == "failed"]
    assert [job.errors for job in failed] == []
    assert (store.counts()["succeeded"], store.counts()["cancelled"]) == (300, 700)
    assert len(processes.asked()) == len(set(processes.asked())) == 20


def test_a_worker_on_postgresql_outlives_its_database_and_is_replaced(
    processes: ServerProcesses,
) -> None:
    cluster = PostgresCluster()
    try:
        cluster.start()
        url = cluster.new_database("jobs")
        processes.environ["LLMEVAL_JOBS_URL"] = url
        store = processes.store(ServerSettings(home=processes.home, jobs_url=SecretStr(url)))
        worker = processes.start_worker()
        job = store.submit(processes.run_file(100, latency_s=0.05), name="long")
        wait_until(lambda: len(processes.asked()) > 10, "the first questions")

        cluster.crash()
        wait_until(lambda: len(processes.asked()) > 30, "more questions without a database")
        cluster.come_back()
        assert processes.wait_for_end(store, job.id).state == "succeeded"
        assert worker.poll() is None
        again = store.submit(processes.run_file(100, "again", latency_s=0.05), name="again")
        wait_until(lambda: len(processes.asked()) > 110, "the first questions")
        kill(worker)
        processes.start_worker()

        assert processes.wait_for_end(store, again.id).state == "succeeded"
        assert mean_of(processes, "again_0shot") == pytest.approx(true_mean(100))
        assert "secret-password" not in processes.log()
    finally:
        processes.close()
        cluster.stop()


def test_a_second_worker_on_the_same_postgresql_is_refused(
    processes: ServerProcesses, tmp_path: Path
) -> None:
    cluster = PostgresCluster()
    try:
        cluster.start()
        processes.environ["LLMEVAL_JOBS_URL"] = cluster.new_database("jobs")
        processes.start_worker()
        wait_until(lambda: "the worker runs jobs" in processes.log(), "the first worker")

        second = processes.start_worker("--home", str(tmp_path / "other"))

        assert second.wait(60) == 2
        assert "another worker runs the jobs of this database" in processes.said(second)
    finally:
        processes.close()
        cluster.stop()


def no_larger_files(limit_bytes: int) -> None:
    """Let no file of this process grow beyond a size, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))


def test_a_job_fails_when_the_journal_cannot_grow_and_the_worker_lives(
    processes: ServerProcesses,
) -> None:
    store = processes.store()
    worker = processes.start_worker(preexec_fn=lambda: no_larger_files(6_000_000))
    job = store.submit(processes.run_file(600, padding=20_000), name="large")

    ended = processes.wait_for_end(store, job.id)
    small = processes.wait_for_end(
        store, store.submit(processes.run_file(5, "no samples"), name="s").id
    )

    assert ended.state == "failed"
    assert ended.errors[0].what.startswith("the journal failed: ")
    assert ended.errors[0].where == str(processes.home / "journal.sqlite")
    assert small.state == "failed"
    assert worker.poll() is None
    kill(worker)
    committed = processes.committed()
    before = len(processes.asked())
    processes.start_worker()
    store.retry(job.id)
    assert processes.wait_for_end(store, job.id).state == "succeeded"
    assert not committed & set(processes.asked()[before:])


@pytest.fixture
def small_disk(processes: ServerProcesses) -> Iterator[Path]:
    """Mount a disk of 3 MiB as the home; where that is not allowed, the test is skipped."""
    processes.home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(processes.home)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield processes.home
    processes.close()
    subprocess.run(["umount", "--lazy", str(processes.home)], check=True)


def test_a_full_disk_ends_no_worker_and_every_job_ends_when_there_is_room(
    processes: ServerProcesses, small_disk: Path
) -> None:
    store = processes.store()
    worker = processes.start_worker()
    large = store.submit(processes.run_file(400, padding=20_000), name="large")
    wait_until(
        lambda: "job store failed" in processes.said(worker) or store.get(large.id).is_over,
        "no room for the end of the job",
    )

    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    ended = processes.wait_for_end(store, large.id)

    if ended.state == "failed":
        assert "full" in ended.errors[0].what or "I/O" in ended.errors[0].what
        store.retry(large.id)
        ended = processes.wait_for_end(store, large.id)
    assert ended.state == "succeeded"
    assert worker.poll() is None
    assert worker_pid(processes.home) == worker.pid
