"""Following jobs by server-sent events: resumable, ending, and cheap for many."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from llmeval_server.jobs.dbos_store import DbosJobStore, open_store
from llmeval_server.jobs.job_files import JobFiles, ProgressFile
from llmeval_server.jobs.job_records import Job, JobProgress, TaskProgress
from llmeval_server.server_settings import ServerSettings

from llmeval_core.api import Session
from plugins.server.tests.live_server import LiveServer, run_file
from plugins.server.tests.server_processes import wait_until

Event = tuple[str, str, Any]  # id, name, data; Any: JSON


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}


def step(home: Path, job_id: str, sequence: int, n_done: int) -> None:
    """Write progress as the worker does."""
    task = TaskProgress(
        model="echo/parrot", task="sums_0shot", n_samples=5, n_done=n_done, n_failed=0,
        n_tokens=0, n_under_way=1, samples_per_s=1.0, seconds_left=None, state="running",
    )  # fmt: skip
    progress = JobProgress(sequence=sequence, tasks=(task,))
    JobFiles(home, job_id).write_progress(
        ProgressFile(attempt=1, started_at=1.0, progress=progress)
    )


@pytest.fixture
async def job(server: LiveServer) -> Job:
    return server.store.submit(run_file(), name="followed")


async def test_a_follower_hears_every_step_and_the_end(
    client: aiohttp.ClientSession, server: LiveServer, job: Job
) -> None:
    received: list[tuple[str, Any]] = []
    async with client.get(f"jobs/{job.id}/events") as response:
        async for _, name, data in events(response):
            received.append((name, data.get("state") or data.get("sequence")))
            if received[-1] == ("progress", 0):
                step(server.home, job.id, 7, 3)
            if received[-1] == ("progress", 7):
                server.store.cancel(job.id)

    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert received == [
        ("job", "queued"),
        ("progress", 0),
        ("progress", 7),
        ("job", "cancelled"),
        ("end", "cancelled"),
    ]


async def test_a_client_that_comes_back_hears_only_what_is_new(
    client: aiohttp.ClientSession, server: LiveServer, job: Job
) -> None:
    step(server.home, job.id, 1, 1)
    async with client.get(f"jobs/{job.id}/events") as response:
        last = [event[0] async for event in _first(2, events(response))][-1]
    step(server.home, job.id, 2, 2)

    async with client.get(f"jobs/{job.id}/events", headers={"Last-Event-ID": last}) as response:
        (event,) = [event async for event in _first(1, events(response))]

    assert event[1:] == ("progress", event[2])
    assert event[2]["tasks"][0]["n_done"] == 2


async def test_who_heard_the_end_is_told_not_to_come_back(
    client: aiohttp.ClientSession, server: LiveServer, job: Job
) -> None:
    server.store.cancel(job.id)
    async with client.get(f"jobs/{job.id}/events") as response:
        received = [event async for event in events(response)]

    async with client.get(
        f"jobs/{job.id}/events", headers={"Last-Event-ID": received[-1][0]}
    ) as response:
        assert response.status == 204


async def test_a_foreign_event_id_is_as_good_as_none(
    client: aiohttp.ClientSession, job: Job
) -> None:
    for last in ("x", "1.queued", "9" * 5000, "-1.queued.0", "1.queued.²"):
        headers = {"Last-Event-ID": last}
        async with client.get(f"jobs/{job.id}/events", headers=headers) as response:
            names = [event[1] async for event in _first(2, events(response))]

        assert names == ["job", "progress"]


class CountingStore(DbosJobStore):
    """The real store, which counts how often it is asked for a job."""

    n_looks = 0

    def progress(self, job_id: str) -> JobProgress:
        self.n_looks += 1
        return super().progress(job_id)


async def test_a_hundred_followers_cost_one_look_at_a_time(
    tmp_path: Path, session: Session
) -> None:
    store = open_store(ServerSettings(home=tmp_path / "home"))
    assert isinstance(store, DbosJobStore)
    store.__class__ = CountingStore
    assert isinstance(store, CountingStore)
    job = store.submit(run_file(), name="popular")
    with LiveServer(tmp_path / "home", session, store=store) as server:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(server.url, connector=connector) as client:
            started = asyncio.Semaphore(0)

            async def follow() -> str:
                async with client.get(f"/api/v1/jobs/{job.id}/events") as response:
                    names = []
                    async for event in events(response):
                        names.append(event[1])
                        started.release()
                    return names[-1]

            followers = [asyncio.create_task(follow()) for _ in range(100)]
            for _ in range(200):  # `job` and `progress` of each
                await started.acquire()
            looks_before = store.n_looks
            for sequence in range(1, 4):
                step(server.home, job.id, sequence, sequence)
                for _ in range(100):
                    await started.acquire()
            looks = store.n_looks - looks_before
            await asyncio.to_thread(store.cancel, job.id)

            ends = await asyncio.gather(*followers)

    assert ends == ["end"] * 100
    assert looks < 100


async def test_nobody_looks_at_a_job_that_nobody_follows(tmp_path: Path, session: Session) -> None:
    store = open_store(ServerSettings(home=tmp_path / "home"))
    store.__class__ = CountingStore
    assert isinstance(store, CountingStore)
    job = store.submit(run_file(), name="left")
    with LiveServer(tmp_path / "home", session, store=store) as server:
        async with (
            aiohttp.ClientSession(server.url) as client,
            client.get(f"/api/v1/jobs/{job.id}/events") as response,
        ):
            assert [event[1] async for event in _first(2, events(response))]

        def looks() -> bool:
            before = store.n_looks
            time.sleep(1)  # three times as long as between two looks
            return store.n_looks > before

        await asyncio.to_thread(wait_until, lambda: not looks(), "the end of the looks")


async def test_a_stream_is_kept_by_nobody(client: aiohttp.ClientSession, job: Job) -> None:
    async with client.get(f"jobs/{job.id}/events") as response:
        headers = response.headers

    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"


async def test_a_log_is_followed_to_the_end_of_the_job(
    client: aiohttp.ClientSession, server: LiveServer, job: Job
) -> None:
    files = JobFiles(server.home, job.id)
    files.append_to_log("one")
    received = []
    async with client.get(f"jobs/{job.id}/log/events") as response:
        async for event in events(response):
            received.append(event)
            if event[1] == "log" and "one" in event[2]["text"]:
                files.append_to_log("two")
                server.store.cancel(job.id)
    async with client.get(
        f"jobs/{job.id}/log/events", headers={"Last-Event-ID": received[0][0]}
    ) as response:
        resumed = [event async for event in events(response)]

    assert [event[1] for event in received] == ["log", "log", "end"]
    assert [event[1] for event in resumed] == ["log", "end"]
    assert "two" in resumed[0][2]["text"]
    assert "one" not in resumed[0][2]["text"]


async def _first(n: int, stream: AsyncIterator[Event]) -> AsyncIterator[Event]:
    async for event in stream:
        yield event
        n -= 1
        if n == 0:
            return
