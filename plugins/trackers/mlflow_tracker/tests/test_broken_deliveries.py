"""A first delivery that breaks at any of its calls, or goes on later: one run, each point once.

All tests talk to a real server through a proxy that does the harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import TaskResult
from plugins.trackers.mlflow_tracker.tests.delivery_checks import (
    delivered_at_last,
    history_of,
    refused,
    runs_of,
)
from plugins.trackers.mlflow_tracker.tests.fault_actions import (
    CUT,
    HALVE,
    HTTP_502_HTML,
    LATE,
    PASS,
    RESET,
    FaultAction,
    ProxiedRequest,
    always,
    once,
)
from plugins.trackers.mlflow_tracker.tests.fault_proxy import FaultProxy

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Awaitable[Any]]

FIRST_CALLS = 14  # of a first delivery; the first test sees to it that they are so many


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
    action: FaultAction,
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


async def test_a_run_that_is_binned_while_it_is_being_made_is_made_again(
    server: Any,
    proxy: FaultProxy,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    tracker = await open_tracker(tracking_uri=proxy.url, experiment=experiment)
    binned: list[str] = []

    def bin_before_naming(request: ProxiedRequest) -> FaultAction:
        if request.path == "runs/log-parameter" and not binned:
            (unnamed,) = runs_of(server, experiment)
            MlflowClient(server.url).delete_run(unnamed.info.run_id)
            binned.append(unnamed.info.run_id)
        return PASS

    proxy.program = bin_before_naming

    await tracker.deliver(make_result())

    (run,) = runs_of(server, experiment)
    assert binned
    assert run.info.run_id not in binned
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
