"""What came of a delivery: read back from the server, or raised."""

from __future__ import annotations

import time
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import TaskResult, TrackerError

MARGIN_S = 2.0  # for a loaded machine, beside the tracker's own half second


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
