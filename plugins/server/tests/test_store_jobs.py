"""The job store by itself: what is accepted is kept, once, and found again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from llmeval_server.job_errors import (
    IdempotencyConflictError,
    JobNotFinishedError,
    JobStoreError,
    UnknownJobError,
)
from llmeval_server.jobs.dbos_store import DbosJobStore
from llmeval_server.jobs.job_files import LARGEST_LOG_BYTES, JobFiles, ProgressFile
from llmeval_server.jobs.job_ids import is_job_id, new_job_id
from llmeval_server.jobs.job_records import JobProgress
from llmeval_server.server_settings import ServerSettings
from pydantic import SecretStr

from llmeval_core.hooks import ConfigError
from plugins.server.tests.server_processes import ServerProcesses
from tests.postgres_cluster import PostgresCluster

RUN: dict[str, Any] = {"models": ["openai/m"], "tasks": [{"dataset": "aio", "shots": [0]}]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresCluster]:
    """Run PostgreSQL while the tests of this module run."""
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(processes: ServerProcesses, request: pytest.FixtureRequest) -> DbosJobStore:
    """Open an empty store on each kind of database."""
    if request.param == "postgresql":
        cluster: PostgresCluster = request.getfixturevalue("cluster")
        url = SecretStr(cluster.new_database(f"jobs_{new_job_id()}"))
        return processes.store(ServerSettings(home=processes.home, jobs_url=url))
    return processes.store()


def test_an_accepted_job_is_queued_and_kept(store: DbosJobStore) -> None:
    job = store.submit({**RUN, "limit": 3}, name="first try")

    assert store.get(job.id) == job
    assert (job.state, job.name, job.attempt, job.errors) == ("queued", "first try", 1, ())
    assert job.run == {**RUN, "limit": 3}
    assert is_job_id(job.id)
    assert store.counts() == {
        "queued": 1, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0
    }  # fmt: skip


def test_a_job_is_kept_for_the_next_process(processes: ServerProcesses) -> None:
    first = processes.store()
    job = first.submit(RUN, name="kept")
    first.close()

    assert processes.store().get(job.id) == job


def test_the_same_key_and_run_give_the_same_job(store: DbosJobStore) -> None:
    job = store.submit(RUN, name="a", key="k-1")

    assert store.submit(RUN, name="b", key="k-1") == job
    assert store.submit(RUN, name="a", key="k-2").id != job.id
    assert store.list().n_jobs == 2


def test_many_clients_with_one_key_get_one_job(store: DbosJobStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        jobs = list(threads.map(lambda i: store.submit(RUN, name=str(i), key="k"), range(16)))

    assert len({job.id for job in jobs}) == 1
    assert store.counts()["queued"] == 1


def test_a_key_is_not_good_for_another_run(store: DbosJobStore) -> None:
    job = store.submit(RUN, name="a", key="k-1")

    with pytest.raises(IdempotencyConflictError) as caught:
        store.submit({**RUN, "seed": 1}, name="a", key="k-1")

    assert str(caught.value) == (
        "this idempotency key was used for another run file\n"
        f"  where: job {job.id}\n"
        "  try:   send a new key with a new run file"
    )


def test_jobs_are_listed_newest_first_by_page_and_state(store: DbosJobStore) -> None:
    jobs = [store.submit(RUN, name=f"job {i}") for i in range(5)]
    store.cancel(jobs[1].id)

    page = store.list(limit=2, offset=1)
    cancelled = store.list(states=["cancelled", "failed"])

    assert (len(page.jobs), page.n_jobs) == (2, 5)
    assert ([job.name for job in cancelled.jobs], cancelled.n_jobs) == (["job 1"], 1)
    assert store.list(states=["queued"]).n_jobs == 4


def test_a_queued_job_is_cancelled_at_once_and_by_both_who_ask(store: DbosJobStore) -> None:
    job = store.submit(RUN, name="a")

    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(store.cancel, [job.id, job.id]))

    assert {one.state for one in both} == {"cancelled"}
    assert store.cancel(job.id).state == "cancelled"
    assert store.get(job.id).ended_at is not None


def test_a_cancelled_job_can_be_retried_once(store: DbosJobStore) -> None:
    job = store.submit(RUN, name="a")
    store.cancel(job.id)

    again = store.retry(job.id)

    assert (again.id, again.state, again.attempt, again.ended_at) == (job.id, "queued", 2, None)
    with pytest.raises(JobNotFinishedError) as caught:
        store.retry(job.id)
    assert str(caught.value) == (
        f"job {job.id} is queued\n  try:   wait until it is over, or cancel it first"
    )


@pytest.mark.parametrize("call", ["get", "progress", "log", "cancel", "retry"])
@pytest.mark.parametrize("job_id", ["0" * 20, "../../etc/passwd", ""])
def test_an_unknown_job_is_told(processes: ServerProcesses, call: str, job_id: str) -> None:
    with pytest.raises(UnknownJobError) as caught:
        getattr(processes.store(), call)(job_id)

    assert str(caught.value) == (
        f"there is no job '{job_id}'\n  try:   the list of jobs shows their ids"
    )


def test_a_job_that_never_ran_has_no_progress_and_no_log(store: DbosJobStore) -> None:
    job = store.submit(RUN, name="a")

    assert store.progress(job.id) == JobProgress(sequence=0)
    assert store.log(job.id) == ("", 0)
    assert store.last_heartbeat() is None


@pytest.mark.parametrize("name", ["null \0 byte", "escape \x1b[2J", "日本語の名前", "x" * 10_000])
def test_odd_names_are_kept_and_cannot_steer_a_terminal(store: DbosJobStore, name: str) -> None:
    job = store.submit({**RUN, "note \0": name}, name=name)

    assert store.get(job.id).run == {**RUN, "note \0": name}
    assert job.name.isprintable()


def test_half_a_surrogate_pair_is_refused(store: DbosJobStore) -> None:
    with pytest.raises(ConfigError, match="half of a surrogate pair"):
        store.submit({**RUN, "note": "\ud800"}, name="a")


def test_a_log_is_read_piece_by_piece_in_whole_lines(processes: ServerProcesses) -> None:
    store = processes.store()
    job = store.submit(RUN, name="a")
    files = JobFiles(processes.home, job.id)
    files.append_to_log("eins")
    files.append_to_log("に")

    text, offset = store.log(job.id)
    files.append_to_log("drei")
    more, end = store.log(job.id, offset=offset)

    assert [line.split(" ", 2)[2] for line in text.splitlines()] == ["eins", "に"]
    assert [line.split(" ", 2)[2] for line in more.splitlines()] == ["drei"]
    assert store.log(job.id, offset=end) == ("", end)
    assert store.log(job.id, offset=end + 1000) == ("", end + 1000)


def test_a_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    files = JobFiles(tmp_path, new_job_id())

    for _ in range(60):
        files.append_to_log("x" * 100_000)

    (log,) = tmp_path.glob("jobs/*/log.txt")
    assert log.stat().st_size < LARGEST_LOG_BYTES + 1000
    assert log.read_text().endswith("the log is full; what follows is not kept\n")


def test_a_torn_progress_file_counts_as_none(tmp_path: Path) -> None:
    files = JobFiles(tmp_path, new_job_id())
    content = ProgressFile(attempt=1, started_at=1.0, progress=JobProgress(sequence=3))
    files.write_progress(content)
    assert files.read_progress() == content

    next(tmp_path.glob("jobs/*/progress.json")).write_text('{"attempt": 1')

    assert files.read_progress() is None


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(JobStoreError) as caught:
        ServerProcesses(tmp_path, {}).store(ServerSettings(home=tmp_path / "file" / "home"))

    assert "make the folder writable, or choose another with --home DIR" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("mysql://u:hunter22@h/d", "the jobs' URL must name a PostgreSQL database"),
        ("postgresql://u:hunter22@h", "the jobs' URL must name a PostgreSQL database"),
        ("hunter22", "the jobs' URL cannot be read"),
    ],
)
def test_a_wrong_jobs_url_is_told_without_the_password(
    processes: ServerProcesses, url: str, what: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        processes.store(ServerSettings(home=processes.home, jobs_url=SecretStr(url)))

    assert str(caught.value) == (
        f"{what}\n"
        "  where: jobs_url\n"
        "  try:   write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    )


def test_a_postgresql_that_is_down_is_told_and_comes_back(
    processes: ServerProcesses, cluster: PostgresCluster
) -> None:
    url = cluster.new_database("jobs_down")
    store = processes.store(ServerSettings(home=processes.home, jobs_url=SecretStr(url)))
    job = store.submit(RUN, name="a")

    cluster.crash()
    try:
        with pytest.raises(JobStoreError) as caught:
            store.get(job.id)
        with pytest.raises(JobStoreError):
            processes.store(ServerSettings(home=processes.home, jobs_url=SecretStr(url)))
    finally:
        cluster.come_back()

    assert "secret-password" not in str(caught.value)
    assert "see whether the PostgreSQL server is up and lets us in" in str(caught.value)
    assert store.get(job.id) == job
