"""PostgreSQL itself: without a server before it, and when it crashes behind one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import TaskResult, TrackerError
from plugins.trackers.mlflow_tracker.tests.delivery_checks import MARGIN_S, history_of, runs_of

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Awaitable[Any]]


async def test_a_fresh_database_is_opened_by_two_trackers_at_once_and_filled(
    postgres: Any, open_tracker: TrackerFactory, make_result: ResultFactory
) -> None:
    uri = postgres.new_database("direct")

    one, two = await asyncio.gather(*(open_tracker(tracking_uri=uri) for _ in range(2)))
    receipts = await asyncio.gather(
        one.deliver(make_result("a")), two.deliver(make_result("b", values={"f1": 0.25}))
    )

    client: Any = MlflowClient(uri)  # Any: mlflow's types are loose
    experiment = client.get_experiment_by_name("model_evaluation").experiment_id
    (run,) = client.search_runs([experiment])
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5, "aio_0shot_f1": 0.25}
    for receipt in receipts:
        assert str(receipt.location).startswith("postgresql://127.0.0.1:")
        assert "llmeval@" not in str(receipt.location)


async def test_a_database_that_crashes_behind_the_server_gets_the_result_when_it_is_back(
    *,
    postgres: Any,
    postgres_server: Any,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    tracker = await open_tracker(
        tracking_uri=postgres_server.url, experiment=experiment, timeout_s=4
    )
    await tracker.deliver(make_result("a"))
    result = make_result("b", values={"f1": 0.25})
    postgres.crash()
    started = time.monotonic()

    try:
        with pytest.raises(TrackerError) as caught:
            await tracker.deliver(result)
        took_s = time.monotonic() - started
    finally:
        postgres.come_back()
    await tracker.deliver(result)

    assert took_s < 4 + MARGIN_S
    assert "\n" not in caught.value.what
    assert not caught.value.permanent
    (run,) = runs_of(postgres_server, experiment)
    assert history_of(postgres_server, run) == {
        "aio_0shot_accuracy": [0.5],
        "aio_0shot_f1": [0.25],
    }
