"""Two ways to bring a result to MLflow: ours, and the one that everybody writes first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from benchmarks.mlflow_server import EXPERIMENT, METRICS
from llmeval_core.hooks import Aggregate, RunInfo, TaskResult
from llmeval_core.testing import make_task_result, run_info

Way = Literal["llmeval", "naive, log_metrics", "naive, log_metric"]
Bring = Callable[[TaskResult], None]


def result_for(model: str, number: int, keys: tuple[str, ...] = METRICS) -> TaskResult:
    """Make a result of 12 metrics with their standard errors, or of these keys."""
    result = make_task_result(id=f"{model} {number}", model=model, metrics={"accuracy": 0.5})
    (one,) = result.metrics
    score = Aggregate(value=number % 97 / 97, stderr=0.01, n_scored=100)
    metrics = tuple(one.model_copy(update={"key": key, "aggregate": score}) for key in keys)
    return result.model_copy(update={"metrics": metrics})


def wide_result(model: str, number: int, n_metrics: int) -> TaskResult:
    """Make a result of one metric with very many categories."""
    result = result_for(model, number, tuple(f"wide_0shot_accuracy/{n}" for n in range(n_metrics)))
    metrics = tuple(
        metric.model_copy(
            update={"category": str(n), "aggregate": Aggregate(value=number % 97 / 97)}
        )
        for n, metric in enumerate(result.metrics)
    )
    return result.model_copy(update={"metrics": metrics})


def naive(url: str, *, one_call_a_metric: bool) -> Bring:
    """Search the model's run, start it again, log: mlflow's own documentation, put together."""
    import mlflow  # noqa: PLC0415  heavy

    client: Any = mlflow  # Any: mlflow's types are loose
    client.set_tracking_uri(url)
    client.set_experiment(EXPERIMENT)

    def bring(result: TaskResult) -> None:
        found = client.search_runs(
            experiment_names=[EXPERIMENT],
            filter_string=f"params.model_name = '{result.model}'",
            max_results=1,
        )
        run_id = None if found.empty else found.iloc[0]["run_id"]
        with client.start_run(run_id=run_id, run_name=result.model):
            if run_id is None:
                client.log_param("model_name", result.model)
            values = {metric.key: metric.aggregate.value for metric in result.metrics}
            values |= {
                f"{metric.key}_stderr": metric.aggregate.stderr
                for metric in result.metrics
                if metric.aggregate.stderr is not None
            }
            if one_call_a_metric:
                for key, value in values.items():
                    client.log_metric(key, value)
            else:
                client.log_metrics(values)

    return bring


@contextmanager
def ours(url: str, home: Path) -> Iterator[Bring]:
    """Deliver with the tracker; without the sample table, which the naive way has not either."""
    from llmeval_mlflow_tracker.settings import MlflowSettings  # noqa: PLC0415
    from llmeval_mlflow_tracker.tracker import MlflowTracker  # noqa: PLC0415

    settings = MlflowSettings(
        tracking_uri=url, experiment=EXPERIMENT, max_table_rows=0, timeout_s=120
    )
    tracker = MlflowTracker(settings)
    info = run_info(home)
    with asyncio.Runner() as loop:
        loop.run(tracker.open(RunInfo("mlflow", home, lambda _: {}, info.samples)))
        try:
            yield lambda result: loop.run(_deliver(tracker, result))
        finally:
            loop.run(tracker.close())


async def _deliver(tracker: Any, result: TaskResult) -> None:  # Any: it is imported late
    await tracker.deliver(result)


@contextmanager
def a_way(way: Way, url: str, home: Path) -> Iterator[Bring]:
    """Give one of the ways by its name."""
    if way == "llmeval":
        with ours(url, home) as bring:
            yield bring
    else:
        yield naive(url, one_call_a_metric=way == "naive, log_metric")


@contextmanager
def counted_calls() -> Iterator[list[str]]:
    """Collect method and path of each HTTP request that mlflow sends."""
    import requests  # noqa: PLC0415  heavy

    calls: list[str] = []
    send = requests.Session.request

    def counting(self: Any, method: str, url: str, *args: Any, **more: Any) -> Any:
        calls.append(f"{method} {url.split('?', maxsplit=1)[0]}")
        return send(self, method, url, *args, **more)

    with patch.object(requests.Session, "request", counting):
        yield calls


def seconds(work: Callable[[], None]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
