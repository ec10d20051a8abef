"""The entries of the run file's `tasks`: data sets with metrics, and ready-made tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmeval_core.catalog.catalog import Catalog
from llmeval_core.catalog.group_planning import plan_group
from llmeval_core.catalog.public_settings import public_settings
from llmeval_core.catalog.ready_tasks import ReadyTaskPlanner, TaskLoading, renamed
from llmeval_core.catalog.solvers import plan_solver
from llmeval_core.catalog.task_planning import TaskPlanner, shots_of
from llmeval_core.config import (
    ComponentConfig,
    GenerationConfig,
    KeyPath,
    Origin,
    RunConfig,
    TaskConfig,
)
from llmeval_core.contracts import Dataset, TaskGroup
from llmeval_core.errors import ConfigError
from llmeval_core.naming import NAME_PATTERN
from llmeval_core.plan import (
    PlannedEvaluation,
    PlannedGroup,
    PlannedMetric,
    PlannedModel,
    PlannedRole,
    PlannedTask,
)


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """What one entry with one number of examples stands for, before it has a model.

    Args:
        planners: one for each task.
        groups: what some of the tasks make together.
        name: what the run file calls the only task; None for its own name.
        plugin: the distribution that groups come from, for messages.
        where: the entry's place, for errors.
        notes: what the user should know, a line each.
    """

    planners: tuple[TaskPlanner | ReadyTaskPlanner, ...]
    groups: tuple[TaskGroup, ...] = ()
    name: str | None = None
    plugin: str = ""
    where: str = ""
    notes: tuple[str, ...] = ()

    def plan(
        self, model: PlannedModel, generation: GenerationConfig
    ) -> tuple[list[PlannedTask], list[PlannedGroup]]:
        """Plan the tasks and groups for one model.

        Raises:
            LlmevalError: the model cannot be asked so, or something is wrong with the data.
        """
        tasks = [planner.plan(model, generation) for planner in self.planners]
        by_name = {task.dataset_name: task for task in tasks}
        groups = [
            plan_group(group, by_name, plugin=self.plugin, where=self.where)
            for group in self.groups
        ]
        if self.name is not None and len(tasks) == 1 and not groups:
            tasks = [renamed(tasks[0], self.name)]
        return tasks, groups


def plan_entries(
    config: RunConfig, catalog: Catalog, roles: Mapping[str, PlannedRole], *, origin: Origin
) -> list[PlannedEntry]:
    """Make the components of all entries; reads no data.

    Raises:
        LlmevalError: a name or a setting is wrong.
    """
    datasets = {
        index: catalog.build(
            "datasets", task.dataset, origin=origin, path=("tasks", index, "dataset")
        )[0]
        for index, task in enumerate(config.tasks)
        if task.dataset is not None
    }
    entries: list[PlannedEntry] = []
    for index, task in enumerate(config.tasks):
        if task.task is not None:
            entries += _ready_tasks(task.task, index, config, catalog, roles, origin=origin)
            continue
        dataset, path = datasets[index], ("tasks", index)
        metrics = _plan_metrics(task, dataset, index, config=config, catalog=catalog, origin=origin)
        solver = None
        if task.solver is not None:
            solver = plan_solver(task.solver, catalog, origin=origin, path=(*path, "solver"))
        planners = tuple(
            TaskPlanner(
                task,
                n_shots,
                dataset=dataset,
                metrics=metrics,
                solver=solver,
                roles=roles,
                run=config,
                where=origin.where(*path),
            )
            for n_shots in shots_of(task, dataset)
        )
        entries.append(PlannedEntry(planners))
    return entries


def plan_evaluation(
    model: PlannedModel, generation: GenerationConfig, entries: Iterable[PlannedEntry]
) -> PlannedEvaluation:
    """Plan all tasks of one model.

    Raises:
        LlmevalError: a task or a data set is wrong, or two tasks have one key.
    """
    tasks: list[PlannedTask] = []
    groups: list[PlannedGroup] = []
    known: set[tuple[str, str]] = set()
    for entry in entries:
        planned, grouped = entry.plan(model, generation)
        if entry.where:  # tasks that keep to their number of examples come once for each of them
            planned = [one for one in planned if (entry.where, one.fingerprint) not in known]
            grouped = [one for one in grouped if (entry.where, one.fingerprint) not in known]
            known |= {(entry.where, task.fingerprint) for task in planned}
            known |= {(entry.where, group.fingerprint) for group in grouped}
        tasks += planned
        groups += grouped
    for key, name in (
        *((task.key, task.dataset_name) for task in tasks),
        *((group.key, group.group.name) for group in groups),
    ):
        _check_key(key, name, tasks, groups)
    return PlannedEvaluation(model, tuple(tasks), tuple(groups))


def _check_key(key: str, name: str, tasks: list[PlannedTask], groups: list[PlannedGroup]) -> None:
    """Refuse two tasks with one key: their results would overwrite each other."""
    if not NAME_PATTERN.fullmatch(name):
        raise ConfigError(
            f"'{name}' cannot be a data set's name: no space, slash or colon",
            hint="give the data set a `name:`",
        )
    if [task.key for task in tasks].count(key) + [group.key for group in groups].count(key) > 1:
        raise ConfigError(
            f"two tasks are called '{key}'",
            hint="give one of the tasks a `variant:`, or its data set another `name:`",
        )


def _ready_tasks(
    component: ComponentConfig,
    index: int,
    config: RunConfig,
    catalog: Catalog,
    roles: Mapping[str, PlannedRole],
    *,
    origin: Origin,
) -> list[PlannedEntry]:
    """Load a ready-made task, once for each number of examples."""
    task = config.tasks[index]
    made, registered = catalog.build(
        "tasks", component, origin=origin, path=("tasks", index, "task")
    )
    where = origin.where("tasks", index)
    entries = []
    met: set[tuple[str, int]] = set()
    for n_shots in task.shots or (None,):
        loading = TaskLoading(
            made, task, run=config, n_shots=n_shots, name=component.use, where=where
        )
        loaded = loading.load()
        planners = tuple(
            ReadyTaskPlanner(
                task,
                one,
                loading=loading,
                run=config,
                roles=roles,
                plugin=registered.distribution,
                where=where,
            )
            for one in loaded.tasks
        )
        again = [one for one in loaded.tasks if (one.name, one.n_shots) in met]
        met |= {(one.name, one.n_shots) for one in loaded.tasks}
        entries.append(
            PlannedEntry(
                planners,
                loaded.groups,
                component.name,
                registered.distribution,
                where,
                tuple(f"'{one.name}' shows {one.n_shots} examples, not {n_shots}" for one in again),
            )
        )
    return entries


def _plan_metrics(
    task: TaskConfig,
    dataset: Dataset,
    index: int,
    *,
    config: RunConfig,
    catalog: Catalog,
    origin: Origin,
) -> tuple[PlannedMetric, ...]:
    """Find the task's metrics: its own, else the run's, else the data set's."""
    path: KeyPath
    if task.metrics is not None:
        components, path = task.metrics, ("tasks", index, "metrics")
    elif config.metrics is not None:
        components, path = config.metrics, ("metrics",)
    else:
        components, path = dataset.defaults.metrics, ("tasks", index, "dataset")
    if not components:
        raise ConfigError(
            f"no metric for data set '{dataset.name}'",
            where=origin.where("tasks", index),
            hint="add `metrics: [exact_match]` to the task, or --metric exact_match",
        )
    planned: list[PlannedMetric] = []
    for position, component in enumerate(components):
        place = (*path, position) if path[-1] == "metrics" else path
        metric, registered = catalog.build("metrics", component, origin=origin, path=place)
        name = component.name or registered.component.name
        if any(name == other.name for other in planned):
            raise ConfigError(
                f"two metrics of one task are called '{name}'",
                where=origin.where(*place),
                hint="give one of them another `name:`",
            )
        settings = public_settings(component.settings)
        planned.append(PlannedMetric(name, metric, settings, registered.distribution))
    return tuple(planned)
