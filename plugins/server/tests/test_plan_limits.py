"""Plans end: in time, with their client, within bounds, and whatever a plugin does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from llmeval_server.planning import planner

from llmeval_core.api import Session
from plugins.server.tests.live_server import LiveServer
from plugins.server.tests.server_processes import descendants, wait_until
from plugins.server.tests.unruly_plugin import unruly_session

FACTORY = "plugins.server.tests.unruly_plugin:unruly_session"
NESTED = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}x"


@pytest.fixture(scope="module")
def unruly() -> Session:
    return unruly_session()


@pytest.fixture(scope="module")
def quick(unruly: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Give a server that lets a plan take hardly any time."""
    home = tmp_path_factory.mktemp("quick")
    options: dict[str, Any] = {"plan_seconds": 2, "plans_at_once": 1}
    with LiveServer(home, unruly, session_factory=FACTORY, **options) as server:
        yield server


@pytest.fixture(scope="module")
def patient(unruly: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Give a server that gives a plan time, and one place."""
    home = tmp_path_factory.mktemp("patient")
    options: dict[str, Any] = {"plans_at_once": 1, "max_plan_megabytes": 500, "max_plan_samples": 6}
    with LiveServer(home, unruly, session_factory=FACTORY, **options) as server:
        yield server


def run_file(does: str = "nothing", **more: Any) -> dict[str, Any]:
    """Make a run file; Any: JSON."""
    task = {"dataset": f"unruly:{does}", "shots": [0], "metrics": ["exact_match"], **more}
    return {"models": ["echo/parrot"], "tasks": [task]}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def post(
    http: aiohttp.ClientSession, server: LiveServer, path: str, run: dict[str, Any]
) -> tuple[int, Any, Any]:
    async with http.post(f"{server.url}/api/v1/{path}", json=run) as answer:
        return answer.status, await answer.json(), answer.headers


def planners() -> set[int]:
    """Name the planning processes of this one, and what they started."""
    found = set()
    for pid in descendants(os.getpid()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        is_keeper = b"process_keeper" in command
        is_planner = b"planning_process" in command and not is_keeper
        if is_planner or b"time.sleep(600)" in command:
            found.add(pid)
    return found


@pytest.mark.parametrize(
    ("path", "run"),
    [
        pytest.param("plan", run_file("search"), id="a pattern that backtracks for ever"),
        pytest.param("plan", run_file("start a process"), id="a process that is waited for"),
        pytest.param("plan", run_file(prompt={"template": NESTED}), id="an endless template"),
        pytest.param("jobs", run_file("search in fingerprint"), id="a submit"),
    ],
)
async def test_a_plan_that_takes_too_long_is_stopped_and_says_so(
    http: aiohttp.ClientSession, quick: LiveServer, path: str, run: dict[str, Any]
) -> None:
    error_responder = asyncio.create_task(post(http, quick, path, run))

    async with http.get(f"{quick.url}/healthz") as health:
        assert health.status == 200
    status, body, _ = await error_responder

    assert (status, body) == (
        504,
        {
            "error": {
                "what": "the plan was not ready within 2 s, and was stopped",
                "where": "run file",
                "hint": "set a `limit`, name fewer models and tasks, look at patterns and "
                "templates that take long; a large data set is fetched once by "
                "`llmeval datasets show` where the server runs; "
                "LLMEVAL_PLAN_SECONDS on the server allows more",
            }
        },
    )
    assert planners() == set()
    assert quick.store.list().n_jobs == 0


async def test_a_plan_on_the_page_is_stopped_too(
    http: aiohttp.ClientSession, quick: LiveServer
) -> None:
    form = {"model": "echo/parrot", "dataset": "unruly:search", "action": "plan"}

    async with http.post(f"{quick.url}/start", data={**form, "metric": "exact_match"}) as answer:
        page = await answer.text()

    assert answer.status == 504
    assert "the plan was not ready within 2 s, and was stopped" in page


async def test_a_plan_ends_when_its_client_leaves(
    http: aiohttp.ClientSession, patient: LiveServer
) -> None:
    hanging = asyncio.create_task(post(http, patient, "plan", run_file("search")))
    await asyncio.to_thread(wait_until, planners, "a planning process")

    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    await asyncio.to_thread(wait_until, lambda: not planners(), "its end")
    assert (await post(http, patient, "plan", run_file()))[0] == 200


async def test_a_client_that_waits_for_a_place_may_leave_too(
    http: aiohttp.ClientSession, patient: LiveServer
) -> None:
    hanging = asyncio.create_task(post(http, patient, "plan", run_file("search")))
    await asyncio.to_thread(wait_until, planners, "a planning process")
    waiting = [asyncio.create_task(post(http, patient, "plan", run_file())) for _ in range(5)]

    for task in (*waiting[1:], hanging):
        task.cancel()

    assert (await waiting[0])[0] == 200


async def test_who_finds_no_place_is_told_when_to_come_again(
    http: aiohttp.ClientSession, patient: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "MAX_WAITING", 0)
    hanging = asyncio.create_task(post(http, patient, "plan", run_file("search")))
    await asyncio.to_thread(wait_until, planners, "a planning process")

    status, body, headers = await post(http, patient, "plan", run_file())
    hanging.cancel()

    assert (status, headers["Retry-After"]) == (503, "5")
    assert body["error"] == {
        "what": "too many run files are planned at this moment",
        "where": "run file",
        "hint": "try again in a moment; LLMEVAL_PLANS_AT_ONCE on the server allows more",
    }


@pytest.mark.parametrize(
    ("run", "status", "what"),
    [
        (run_file("eat"), 422, "the plan needs more than 500 MB of memory"),
        (run_file("exit"), 500, "the process that planned it ended (exit code 7)"),
        (run_file("raise"), 500, "something went wrong while the run file was planned"),
        (
            {**run_file(), "models": [f"echo/m{n}" for n in range(4)]},
            422,
            "this plan would read more than 6 samples",
        ),
    ],
    ids=["memory", "exit", "raise", "samples"],
)
async def test_what_goes_wrong_in_a_plan_harms_nobody_else(
    http: aiohttp.ClientSession,
    patient: LiveServer,
    run: dict[str, Any],
    status: int,
    what: str,
) -> None:
    refused, body, _ = await post(http, patient, "plan", run)

    assert (refused, what in body["error"]["what"]) == (status, True), body
    assert body["error"]["where"]
    assert body["error"]["hint"]
    assert (await post(http, patient, "plan", run_file()))[0] == 200


async def test_a_template_that_eats_memory_is_an_unusable_sample(
    http: aiohttp.ClientSession, patient: LiveServer
) -> None:
    run = run_file(prompt={"template": "{{ 'x' * 3000000000 }}"})

    _, body, _ = await post(http, patient, "plan", run)

    assert [task["n_unusable"] for task in body["tasks"]] == [2]


async def test_what_looks_wrong_with_all_samples_is_told(
    http: aiohttp.ClientSession, patient: LiveServer
) -> None:
    run = run_file(prompt={"template": "always the same"})

    _, body, _ = await post(http, patient, "plan", run)

    (task,) = body["tasks"]
    assert task["warnings"], task


async def test_what_a_plugin_prints_is_not_taken_for_the_plan(
    http: aiohttp.ClientSession, patient: LiveServer
) -> None:
    status, body, _ = await post(http, patient, "plan", run_file("print"))

    assert (status, body["n_requests"]) == (200, 2)


def test_no_planning_process_outlives_its_server(unruly: Session, tmp_path: Path) -> None:
    before = planners()
    with LiveServer(tmp_path, unruly, session_factory=FACTORY) as server:

        async def plan() -> int:
            async with aiohttp.ClientSession() as http:
                return (await post(http, server, "plan", run_file()))[0]

        assert asyncio.run(plan()) == 200
        assert len(planners() - before) == 1

    assert planners() == before
