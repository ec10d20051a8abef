"""What the tests share: results made by hand, trackers that close themselves, a real server."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker

from llmeval_core.hooks import (
    Aggregate,
    Generation,
    Json,
    MetricResult,
    RunInfo,
    Sample,
    SampleResult,
    Score,
    TaskResult,
)
from plugins.trackers.mlflow_tracker.tests.fault_proxy import FaultProxy
from plugins.trackers.mlflow_tracker.tests.writer_processes import WriterProcesses
from tests.mlflow_server import MlflowServer
from tests.postgres_cluster import PostgresCluster

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:  # raised by mlflow 3.17 with SQLAlchemy 2.1
            item.add_marker(
                pytest.mark.filterwarnings("ignore:The ..noload.. loader:DeprecationWarning")
            )


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    with patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
            del os.environ[name]
        yield


@pytest.fixture
def make_result() -> ResultFactory:
    def make(
        result_id: str = "result-1",
        *,
        model: str = "openai/gpt-x",
        dataset: str = "aio",
        values: dict[str, float | None] | None = None,
        stderr: float | None = None,
        finished_at: float = 1_700_000_000.0,
        fingerprint: str = "f" * 32,
        n_samples: int = 3,
        **changes: Any,  # more fields of TaskResult
    ) -> TaskResult:
        task = f"{dataset}_0shot"
        made = TaskResult(
            id=result_id,
            model=model,
            task=task,
            dataset=dataset,
            dataset_fingerprint=fingerprint,
            n_shots=0,
            task_fingerprint="t" * 32,
            plan_fingerprint="p" * 32,
            metrics=tuple(
                MetricResult(
                    key=f"{task}_{name}",
                    metric=name.partition("/")[0],
                    definition=f"{name}@1",
                    higher_is_better=True,
                    category=name.partition("/")[2] or None,
                    aggregate=Aggregate(value=value, stderr=stderr, n_scored=n_samples),
                )
                for name, value in (values or {"accuracy": 0.5}).items()
            ),
            n_samples=n_samples,
            n_failed=0,
            n_prompt_tokens=None,
            n_completion_tokens=None,
            started_at=finished_at - 10,
            finished_at=finished_at,
            settings={},
            llmeval_version="0.1.0",
        )
        return made.model_copy(update=changes)

    return make


def samples_of(result: TaskResult) -> list[SampleResult]:
    return [
        SampleResult(
            index,
            Sample(f"s{index}", f"question {index}", ("yes",)),
            None,
            Generation(("yes",)),
            {metric.metric: Score(1.0, parsed="yes") for metric in result.metrics},
        )
        for index in range(result.n_samples)
    ]


def plan_of(result: TaskResult) -> dict[str, Json]:
    return {"fingerprint": result.plan_fingerprint}


@pytest.fixture
async def open_tracker(tmp_path: Path) -> AsyncIterator[TrackerFactory]:
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(
            home: Path | None = None, *, samples: Any = samples_of, **settings: Any
        ) -> MlflowTracker:
            tracker = MlflowTracker(MlflowSettings(**settings))
            stack.push_async_callback(tracker.close)
            info = RunInfo("mlflow", home or tmp_path, plan_of, samples)
            await tracker.open(info)
            return tracker

        yield open_one


@pytest.fixture(scope="session")
def server(mlflow_server: MlflowServer) -> MlflowServer:
    """Give the MLflow server that all tests share; its database is an SQLite file."""
    return mlflow_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def postgres_server(
    postgres: PostgresCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MlflowServer]:
    folder = tmp_path_factory.mktemp("mlflow-postgres")
    # SQLAlchemy 2.1 takes plain `postgresql:` to mean psycopg 3, 2.0 psycopg2.
    server = MlflowServer(folder, postgres.new_database("mlflow", "postgresql+psycopg2"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["server", "postgres_server"], ids=["sqlite", "postgresql"])
def any_server(request: pytest.FixtureRequest) -> MlflowServer:
    """For what depends on the database behind the server: the test runs on each."""
    chosen: MlflowServer = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def proxies(server: MlflowServer) -> Iterator[Callable[[], FaultProxy]]:
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
    """Name an experiment after the test, so that tests can share a server."""
    return re.sub(r"[^\w ]", " ", request.node.name)


@pytest.fixture(scope="session")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WriterProcesses]:
    """Give processes that write to one model at the same moment."""
    with WriterProcesses(tmp_path_factory.mktemp("writers") / "log") as processes:
        yield processes
