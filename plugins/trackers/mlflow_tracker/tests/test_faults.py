"""What a bad network and a bad server do to a delivery: a clear line, in time, and nothing twice.

All tests talk to a real server through a proxy that does the harm.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import TaskResult, TrackerError
from plugins.trackers.mlflow_tracker.tests.faults import (
    CUT,
    HALVE,
    HANG,
    HTTP_200_HTML,
    HTTP_401,
    HTTP_403_HOST,
    HTTP_429,
    HTTP_500,
    HTTP_502_HTML,
    LATE,
    PASS,
    RESET,
    Action,
    FaultProxy,
    always,
    once,
)

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Awaitable[Any]]

MARGIN_S = 2.0  # for a loaded machine, beside the tracker's own half second
FIRST_CALLS = 14  # of a first delivery; a test below sees to it that they are so many
FAULTS = {
    "hang": (HANG, "does not answer in time|did not answer within 1 s"),
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


@pytest.fixture
def proxies(server: Any) -> Iterator[Callable[[], FaultProxy]]:
    with contextlib.ExitStack() as stack:

        def new() -> FaultProxy:
            proxy = FaultProxy(server.url)
            stack.callback(proxy.close)
            return proxy

        yield new


@pytest.fixture
def proxy(proxies: Callable[[], FaultProxy]) -> FaultProxy:
    return proxies()


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> str:
    return re.sub(r"[^\w ]", " ", request.node.name)


def runs_of(server: Any, experiment: str) -> list[Any]:
    client: Any = MlflowClient(server.url)  # Any: mlflow's types are loose
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


def history_of(server: Any, run: Any) -> dict[str, list[float]]:
    client = MlflowClient(server.url)
    return {
        key: [point.value for point in client.get_metric_history(run.info.run_id, key)]
        for key in sorted(run.data.metrics)
    }


async def refused(tracker: Any, result: TaskResult, *, timeout_s: float) -> TrackerError:
    """Deliver what must fail; in time, and with one line."""
    started = time.monotonic()
    with pytest.raises(TrackerError) as caught:
        await tracker.deliver(result)
    took_s = time.monotonic() - started
    assert took_s < timeout_s + MARGIN_S
    assert "\n" not in caught.value.what
    assert len(caught.value.what) < 300
    assert not caught.value.permanent
    return caught.value


async def delivered_at_last(tracker: Any, result: TaskResult) -> int:
    """Deliver again and again, as the journal does; return how often it took."""
    for attempt in range(1, 4):
        try:
            await tracker.deliver(result)
        except TrackerError:
            continue
        return attempt
    raise AssertionError("not delivered in three attempts")


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
    timeout_s = 1.0 if action is HANG else 4.0
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
    now = Action("answer", 429, headers={"Retry-After": "0"})
    odd: dict[int, Action] = {1: HTTP_500, 3: RESET, 5: now, 7: HTTP_502_HTML, 9: CUT, 11: HALVE}
    proxy.program = lambda request: odd.get(request.number, PASS)
    proxy.forget()

    await tracker.deliver(make_result("b", dataset="niilc"))

    (run,) = runs_of(server, experiment)
    assert history_of(server, run) == {"aio_0shot_accuracy": [0.5], "niilc_0shot_accuracy": [0.5]}


async def test_the_calls_of_a_first_delivery_are_counted(
    proxy: FaultProxy, experiment: str, open_tracker: TrackerFactory, make_result: ResultFactory
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    proxy.forget()

    await tracker.deliver(make_result())

    counts = proxy.counts()
    assert counts["POST runs/create"] == 1
    assert counts.total() == FIRST_CALLS, counts


@pytest.mark.parametrize("number", range(1, FIRST_CALLS + 1))
async def test_the_answer_to_any_call_of_a_first_delivery_may_be_lost(
    *,
    number: int,
    server: Any,
    proxy: FaultProxy,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    result = make_result(values={"accuracy": 0.5, "f1": 0.25}, stderr=0.125)
    proxy.forget()
    proxy.program = once(CUT, at=number)

    await delivered_at_last(tracker, result)

    (run,) = runs_of(server, experiment)
    assert run.info.status == "FINISHED"
    assert history_of(server, run) == {
        "aio_0shot_accuracy": [0.5],
        "aio_0shot_accuracy_stderr": [0.125],
        "aio_0shot_f1": [0.25],
        "aio_0shot_f1_stderr": [0.125],
    }
    assert proxy.count("POST runs/create") == 1


@pytest.mark.parametrize("action", [RESET, HALVE, HTTP_502_HTML], ids=["reset", "halve", "502"])
async def test_any_call_of_a_first_delivery_may_break(
    *,
    action: Action,
    server: Any,
    proxies: Callable[[], FaultProxy],
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    async def deliver(number: int) -> None:
        proxy = proxies()
        tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
        proxy.forget()
        proxy.program = once(action, at=number)
        await delivered_at_last(tracker, make_result(model=f"openai/{number}"))

    numbers = range(1, FIRST_CALLS + 1)
    await asyncio.gather(*map(deliver, numbers))

    runs = runs_of(server, experiment)
    models = [run.data.params["model_name"] for run in runs]
    assert sorted(models) == sorted(f"openai/{number}" for number in numbers)
    for run in runs:
        assert run.data.metrics == {"aio_0shot_accuracy": 0.5}


async def test_a_crash_after_any_call_is_finished_by_the_next_process(
    server: Any,
    proxies: Callable[[], FaultProxy],
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    async def crash_and_come_back(number: int) -> None:
        proxy = proxies()
        dying = await open_tracker(tracking_uri=proxy.url, experiment=experiment, timeout_s=5)
        result = make_result(f"r{number}", model=f"openai/{number}")
        proxy.forget()
        proxy.program = lambda request: PASS if request.number <= number else RESET
        await refused(dying, result, timeout_s=5)
        proxy.program = always(PASS)
        after = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
        await after.deliver(result)

    numbers = range(2, FIRST_CALLS - 1)
    await asyncio.gather(*map(crash_and_come_back, numbers))

    runs = runs_of(server, experiment)
    models = [run.data.params["model_name"] for run in runs]
    assert sorted(models) == sorted(f"openai/{number}" for number in numbers)
    for run in runs:
        assert history_of(server, run) == {"aio_0shot_accuracy": [0.5]}


async def test_a_run_whose_creation_was_not_answered_is_found_by_looking(
    server: Any,
    proxy: FaultProxy,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    proxy.program = lambda request: CUT if request.path == "runs/create" else PASS

    receipt = await tracker.deliver(make_result())

    (run,) = runs_of(server, experiment)
    assert str(receipt.location).endswith(run.info.run_id)
    assert proxy.count("POST runs/create") == 1


async def test_a_write_that_lands_long_after_it_was_given_up_changes_nothing(
    server: Any,
    proxy: FaultProxy,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment, timeout_s=1.5)
    await tracker.deliver(make_result("a", values={"accuracy": 0.9}, finished_at=1000.0))
    proxy.program = lambda request: LATE if request.path == "runs/log-batch" else PASS
    old = make_result("b", values={"accuracy": 0.5}, finished_at=2000.0)
    new = make_result("c", values={"accuracy": 0.1}, finished_at=3000.0)

    await refused(tracker, old, timeout_s=1.5)
    proxy.program = always(PASS)
    await tracker.deliver(old)
    await tracker.deliver(new)
    n_late = proxy.n_held
    proxy.let_go()
    proxy.wait_idle()

    (run,) = runs_of(server, experiment)
    assert n_late >= 1
    assert run.data.metrics == {"aio_0shot_accuracy": 0.1}
    assert sorted(history_of(server, run)["aio_0shot_accuracy"]) == [0.1, 0.5, 0.9]


async def test_a_run_that_is_created_long_after_it_was_given_up_leaves_no_second_run(
    server: Any,
    proxy: FaultProxy,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment, timeout_s=1.5)
    proxy.program = lambda request: LATE if request.path == "runs/create" else PASS

    await refused(tracker, make_result(), timeout_s=1.5)
    proxy.program = always(PASS)
    await tracker.deliver(make_result())
    n_late = proxy.n_held
    proxy.let_go()
    proxy.wait_idle()
    await tracker.close()

    (run,) = runs_of(server, experiment)
    assert n_late >= 1
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5}


async def test_an_existing_model_costs_one_read_and_one_write_beside_its_artifacts(
    proxy: FaultProxy, experiment: str, open_tracker: TrackerFactory, make_result: ResultFactory
) -> None:
    first = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    await first.deliver(make_result("a"))
    second = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    proxy.forget()
    await second.deliver(make_result("b", values={"accuracy": 0.25}))
    found = proxy.counts()
    proxy.forget()
    await second.deliver(make_result("c", values={"accuracy": 0.75}))
    cached = proxy.counts()
    proxy.forget()
    await second.deliver(make_result("c", values={"accuracy": 0.75}))
    replayed = proxy.counts()

    assert found == {"POST runs/search": 1, "POST runs/log-batch": 1, "PUT artifacts": 1}
    assert cached == {"GET runs/get": 1, "POST runs/log-batch": 1, "PUT artifacts": 1}
    assert replayed == {"GET runs/get": 1}
