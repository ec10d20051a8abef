"""What a bad network and a bad server do to a delivery: a clear line, in time, and nothing twice.

All tests talk to a real server through a proxy that does the harm.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmeval_core.hooks import TaskResult
from plugins.trackers.mlflow_tracker.tests.delivery_checks import history_of, refused, runs_of
from plugins.trackers.mlflow_tracker.tests.fault_actions import (
    CUT,
    HALVE,
    HANG,
    HTTP_200_HTML,
    HTTP_401,
    HTTP_403_HOST,
    HTTP_429,
    HTTP_500,
    HTTP_502_HTML,
    PASS,
    RESET,
    FaultAction,
    always,
)
from plugins.trackers.mlflow_tracker.tests.fault_proxy import FaultProxy

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Awaitable[Any]]

FAULTS = {
    "hang": (HANG, "does not answer in time|did not answer within 3 s"),
    "reset": (RESET, "cannot be reached: no connection"),
    "cut": (CUT, "cannot be reached: no connection"),
    "halve": (HALVE, "cannot be reached: no connection"),
    "429": (HTTP_429, "cannot take requests now (429, and asks to wait 7 s)"),
    "500": (HTTP_500, "cannot take requests now (500)"),
    "502 html": (HTTP_502_HTML, "cannot take requests now (502)"),
    "200 html": (HTTP_200_HTML, "is not MLflow's API"),
    "401": (HTTP_401, "wants a login (401)"),
    "403": (HTTP_403_HOST, "refuses requests for the host"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_one_clear_line_in_time_and_what_it_held_up_arrives_once_it_is_over(
    *,
    fault: str,
    server: Any,
    proxy: FaultProxy,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    action, told = FAULTS[fault]
    timeout_s = 3.0 if action is HANG else 4.0
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment, timeout_s=timeout_s)
    known, new = make_result("b", values={"f1": 0.25}), make_result("c", model="openai/new")
    await tracker.deliver(make_result("a"))
    proxy.program = always(action)

    errors = [await refused(tracker, result, timeout_s=timeout_s) for result in (known, new)]
    proxy.program = always(PASS)
    for result in (known, new, known):
        await tracker.deliver(result)

    for error in errors:
        assert any(part in error.what for part in told.split("|")), error.what
    old_run, new_run = sorted(runs_of(server, experiment), key=lambda run: run.info.run_name)
    assert history_of(server, old_run) == {"aio_0shot_accuracy": [0.5], "aio_0shot_f1": [0.25]}
    assert history_of(server, new_run) == {"aio_0shot_accuracy": [0.5]}


async def test_a_server_that_is_away_is_told_at_once_and_found_again_when_it_is_back(
    server: Any,
    proxy: FaultProxy,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    await tracker.deliver(make_result("a"))

    with proxy.away():
        error = await refused(tracker, make_result("b", values={"f1": 0.25}), timeout_s=1.5)
    await tracker.deliver(make_result("b", values={"f1": 0.25}))

    assert error.what == f"MLflow at {proxy.url} cannot be reached: connection refused"
    (run,) = runs_of(server, experiment)
    assert history_of(server, run) == {"aio_0shot_accuracy": [0.5], "aio_0shot_f1": [0.25]}


async def test_a_busy_servers_wish_reaches_the_caller(
    proxy: FaultProxy, experiment: str, open_tracker: TrackerFactory, make_result: ResultFactory
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment, timeout_s=5)
    proxy.program = always(HTTP_429)
    proxy.forget()

    error = await refused(tracker, make_result(), timeout_s=1)

    assert error.retry_after_s == 7
    assert proxy.counts().total() == 1


async def test_a_refused_host_names_the_cure(
    proxy: FaultProxy, experiment: str, open_tracker: TrackerFactory, make_result: ResultFactory
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    proxy.program = always(HTTP_403_HOST)

    error = await refused(tracker, make_result(), timeout_s=1)

    host = proxy.url.removeprefix("http://")
    assert str(error) == (
        f"MLflow at {proxy.url} refuses requests for the host '{host}' (403)\n"
        f"  try:   start it with MLFLOW_SERVER_ALLOWED_HOSTS={host},localhost:*,127.0.0.1:*"
    )


async def test_a_busy_moment_is_not_noticed(
    server: Any,
    proxy: FaultProxy,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    await tracker.deliver(make_result("a"))
    now = FaultAction("answer", 429, headers={"Retry-After": "0"})
    odd: dict[int, FaultAction] = {
        1: HTTP_500,
        3: RESET,
        5: now,
        7: HTTP_502_HTML,
        9: CUT,
        11: HALVE,
    }
    proxy.program = lambda request: odd.get(request.number, PASS)
    proxy.forget()

    await tracker.deliver(make_result("b", dataset="niilc"))

    (run,) = runs_of(server, experiment)
    assert history_of(server, run) == {"aio_0shot_accuracy": [0.5], "niilc_0shot_accuracy": [0.5]}
