"""Traces of samples: linked to the run, replaced, and never in the way of the numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import TaskResult

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Any]
EXPERIMENT = "with_traces"


def traces_of(uri: str, model: str) -> list[Any]:
    client: Any = MlflowClient(uri)  # mlflow's types are loose
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    (run,) = client.search_runs([experiment], f"params.model_name = '{model}'")
    found = client.search_traces(locations=[experiment], run_id=run.info.run_id, max_results=500)
    return sorted(found, key=lambda trace: trace.info.tags["sample"])


@pytest.fixture(params=["server", "embedded"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "embedded":
        return f"sqlite:///{tmp_path}/traces.db"
    return str(request.getfixturevalue("server").url)


async def test_samples_become_traces_of_the_run(
    open_tracker: TrackerFactory, make_result: ResultFactory, place: str
) -> None:
    tracker = await open_tracker(tracking_uri=place, traces=2, experiment=EXPERIMENT)

    receipt = await tracker.deliver(make_result(model="openai/traced"))

    assert receipt.note is None
    traces = traces_of(place, "openai/traced")
    assert [trace.info.tags["sample"] for trace in traces] == ["s0", "s1"]
    (span,) = traces[0].data.spans
    assert (span.inputs, span.outputs, span.name) == ("question 0", "yes", "aio_0shot")
    tags = traces[0].info.tags
    assert (tags["expected"], tags["accuracy"], tags["task"]) == ("yes", "1.0", "aio_0shot")


async def test_a_replay_adds_no_trace_and_a_new_result_replaces_them(
    open_tracker: TrackerFactory, make_result: ResultFactory, place: str
) -> None:
    first = make_result("first", model="openai/again", n_samples=130)
    second = make_result("second", model="openai/again", n_samples=2)
    tracker = await open_tracker(tracking_uri=place, traces=1000, experiment=EXPERIMENT)
    other = await open_tracker(tracking_uri=place, traces=1000, experiment=EXPERIMENT)

    await tracker.deliver(first)
    await other.deliver(first)
    assert len(traces_of(place, "openai/again")) == 130

    await tracker.deliver(second)
    asked = [trace.data.spans[0].inputs for trace in traces_of(place, "openai/again")]
    assert asked == ["question 0", "question 1"]
