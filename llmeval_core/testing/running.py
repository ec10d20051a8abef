"""A whole run in process, with given components instead of installed plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmeval_core.catalog import KINDS, Catalog, Kind, RegisteredComponent, make_plan
from llmeval_core.config import Origin, RunConfig, Settings, validate
from llmeval_core.contracts import (
    AskingMetric,
    Dataset,
    Executor,
    Metric,
    ModelProvider,
    Solver,
    Task,
    TaskSource,
    Tool,
    Tracker,
)
from llmeval_core.engine import Progress, RunOutcome, run_plan
from llmeval_core.hooks import Component
from llmeval_core.host import load_plugins
from llmeval_core.journal import Journal
from llmeval_core.plan import Plan
from llmeval_core.testing.fakes import FakeDataset, FakeMetric, FakeModel


async def run_in(  # noqa: PLR0913  one for each kind of component
    home: Path,
    *,
    datasets: Mapping[str, Dataset] | None = None,
    models: Mapping[str, ModelProvider] | None = None,
    metrics: Mapping[str, Metric | AskingMetric] | None = None,
    trackers: Mapping[str, Tracker] | None = None,
    executors: Mapping[str, Executor] | None = None,
    ready_tasks: Mapping[str, Task | TaskSource] | None = None,
    solvers: Mapping[str, Solver] | None = None,
    tools: Mapping[str, Tool] | None = None,
    role_models: Mapping[str, ModelProvider] | None = None,
    stop: asyncio.Event | None = None,
    progress: Progress | None = None,
    **config: Any,
) -> RunOutcome:
    """Run with components by name, in a journal in `home`.

    What is not given is a fake: data set `fake`, model `fake/model`, metric `fake`. Every tracker
    and every ready-made task that is given is used, and with such tasks only the data sets that are
    given too. `role_models` has a provider for each role. More keys of the run file may be given;
    Any: each has its own type.

    Raises:
        LlmevalError: as the command line would say.
    """
    plan = plan_of(
        datasets=datasets,
        models=models,
        metrics=metrics,
        trackers=trackers,
        executors=executors,
        ready_tasks=ready_tasks,
        solvers=solvers,
        tools=tools,
        role_models=role_models,
        **config,
    )
    with Journal(home) as journal:
        return await run_plan(plan, journal, stop=stop, progress=progress)


def plan_of(  # noqa: PLR0913  as above
    *,
    datasets: Mapping[str, Dataset] | None = None,
    models: Mapping[str, ModelProvider] | None = None,
    metrics: Mapping[str, Metric | AskingMetric] | None = None,
    trackers: Mapping[str, Tracker] | None = None,
    executors: Mapping[str, Executor] | None = None,
    ready_tasks: Mapping[str, Task | TaskSource] | None = None,
    solvers: Mapping[str, Solver] | None = None,
    tools: Mapping[str, Tool] | None = None,
    role_models: Mapping[str, ModelProvider] | None = None,
    **config: Any,
) -> Plan:
    """Make the plan that `run_in` runs; see there."""
    evaluated = models or {"fake": FakeModel()}
    others = {f"role-{role}": provider for role, provider in (role_models or {}).items()}
    given: dict[Kind, Mapping[str, Any]] = {
        "datasets": datasets or {"fake": FakeDataset()},
        "tasks": ready_tasks or {},
        "solvers": solvers or {},
        "tools": tools or {},
        "models": {**evaluated, **others},
        "metrics": metrics or {"fake": FakeMetric()},
        "trackers": trackers or {},
        "executors": executors or {},
    }
    catalog = catalog_of(given)
    settings = {
        "models": [f"{name}/model" for name in evaluated],
        "tasks": [
            *({"task": name} for name in given["tasks"]),
            *({"dataset": name} for name in given["datasets"] if datasets or not ready_tasks),
        ],
        "metrics": list(given["metrics"]),
        "trackers": list(given["trackers"]),
        "roles": {role: f"role-{role}/model" for role in role_models or {}},
        **config,
    }
    origin = Origin()
    run_config = validate(RunConfig, settings, origin=origin)
    return make_plan(run_config, catalog, origin=origin, observer=load_plugins(entry_points=[]))


def catalog_of(components: Mapping[Kind, Mapping[str, Any]]) -> Catalog:
    """Offer components by kind and name; Any: each kind has its own type."""
    return Catalog(
        {
            kind: [
                RegisteredComponent(
                    Component(name, Settings, _always(component), "given by a test"), "test 0"
                )
                for name, component in components.get(kind, {}).items()
            ]
            for kind in KINDS
        }
    )


def _always(component: Any) -> Any:
    """Make a factory that returns this very component; Any: see `catalog_of`."""

    def factory(settings: Settings) -> Any:
        return component

    return factory
