"""From a RunConfig to a Plan: every name resolved, every default filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from llmeval_core.catalog.catalog import Catalog
from llmeval_core.catalog.public_settings import public_settings
from llmeval_core.catalog.readiness import Preflight, ReadinessCheck
from llmeval_core.catalog.task_planning import TaskPlanner, shots_of
from llmeval_core.config import (
    ComponentConfig,
    GenerationConfig,
    KeyPath,
    ModelConfig,
    Origin,
    PriceConfig,
    RunConfig,
    TaskConfig,
    TrackerConfig,
)
from llmeval_core.contracts import Dataset, Executor, ModelInfo, Observer
from llmeval_core.errors import ConfigError, PluginError, wrap_plugin_errors
from llmeval_core.naming import NAME_PATTERN, fingerprint, split_model_name
from llmeval_core.plan import (
    Plan,
    PlannedEvaluation,
    PlannedMetric,
    PlannedModel,
    PlannedTask,
    PlannedTracker,
)


def make_plan(
    config: RunConfig,
    catalog: Catalog,
    *,
    origin: Origin,
    observer: Observer,
    preflight: Preflight | None = None,
) -> Plan:
    """Resolve a run. Reads the data sets (for fingerprints and sizes); sends nothing.

    Args:
        config: the run.
        catalog: has the components.
        origin: where the run's settings come from.
        observer: is told of the run.
        preflight: how models and trackers are asked, before data is read, whether they could be
            used; None to ask nobody.

    Raises:
        LlmevalError: a name, a setting or a data set is wrong; `where` says which.
    """
    models = [
        replace(
            plan_model(model, catalog, origin, index),
            limits=model.limits or config.limits,
            price=price_of(model.name, config.prices),
            reasoning_tags=model.reasoning_tags,
        )
        for index, model in enumerate(config.models)
    ]
    _check_budget(config, models, origin)
    readiness = ReadinessCheck(preflight, catalog.redactor)
    trackers = tuple(
        tracker
        for index, tracker in enumerate(make_trackers(config.trackers, catalog, origin=origin))
        if readiness.tracker(tracker, where=origin.where("trackers", index))
    )
    for index, planned in enumerate(models):
        where = origin.where("models", index)
        readiness.model(planned, where=where, is_asked_here=config.executor is None)
    datasets = [
        catalog.build("datasets", task.dataset, origin=origin, path=("tasks", index, "dataset"))[0]
        for index, task in enumerate(config.tasks)
    ]
    metrics = [
        _plan_metrics(task, dataset, index, config=config, catalog=catalog, origin=origin)
        for index, (task, dataset) in enumerate(zip(config.tasks, datasets, strict=True))
    ]
    planners = [
        TaskPlanner(
            task,
            n_shots,
            dataset=datasets[index],
            metrics=metrics[index],
            run=config,
            where=origin.where("tasks", index),
        )
        for index, task in enumerate(config.tasks)
        for n_shots in shots_of(task, datasets[index])
    ]
    evaluations = tuple(
        PlannedEvaluation(
            planned,
            _each_key_once(
                planner.plan(planned, model.generation or GenerationConfig())
                for planner in planners
            ),
        )
        for planned, model in zip(models, config.models, strict=True)
    )
    executor: Executor | None = None
    if config.executor is not None:
        executor, _ = catalog.build("executors", config.executor, origin=origin, path=("executor",))
    return Plan(
        evaluations=evaluations,
        trackers=trackers,
        executor=executor,
        observer=observer,
        redactor=catalog.redactor,
        seed=config.seed,
        concurrency=config.concurrency,
        max_concurrency=config.max_concurrency,
        budget=config.budget,
        max_samples_failed=config.max_samples_failed,
        fail_fast=config.fail_fast,
        give_up_after=config.give_up_after,
        retry=config.retry,
        timeouts=config.timeouts,
        replace=config.replace,
        fingerprint=fingerprint(
            [[item.model.name, *(task.fingerprint for task in item.tasks)] for item in evaluations]
        ),
        notes=tuple(dict.fromkeys(readiness.notes)),
    )


def make_trackers(
    configs: tuple[TrackerConfig, ...], catalog: Catalog, *, origin: Origin
) -> tuple[PlannedTracker, ...]:
    """Resolve trackers; settings are checked now, the tracker itself is made when needed.

    Raises:
        LlmevalError: a name or a setting is wrong, or two trackers have the same name.
    """
    planned: list[PlannedTracker] = []
    for index, config in enumerate(configs):
        path = ("trackers", index)
        component, registered = catalog.build("trackers", config, origin=origin, path=path)
        name = config.name or registered.component.name
        if any(name == other.name for other in planned):
            raise ConfigError(
                f"two trackers are called '{name}'",
                where=origin.where(*path),
                hint="give one of them another `name:`",
            )
        planned.append(
            PlannedTracker(
                name=name,
                tracker=component,
                required=config.required,
                use=config.use,
                settings=public_settings(config.settings),
            )
        )
    return tuple(planned)


def plan_model(config: ModelConfig, catalog: Catalog, origin: Origin, index: int) -> PlannedModel:
    """Resolve the model at this place of the run's list; opens nothing.

    Raises:
        LlmevalError: there is no such provider or model, or a setting is wrong.
    """
    provider_name, model = split_model_name(config.name)
    component = ComponentConfig.model_validate(
        {"use": config.provider or provider_name, **config.settings}
    )
    provider, _ = catalog.build("models", component, origin=origin, path=("models", index))
    try:
        what = f"model provider '{component.use}' cannot tell about '{model}'"
        with wrap_plugin_errors(PluginError, what, where=origin.where("models", index)):
            info = provider.describe(model)
            if not isinstance(info, ModelInfo):
                raise TypeError(f"describe() gave a {type(info).__name__}, not a ModelInfo")
    except ConfigError as err:
        err.where = err.where or origin.where("models", index)
        raise
    return PlannedModel(config.name, provider, model, info, public_settings(config.settings))


def price_of(model: str, prices: Mapping[str, PriceConfig]) -> PriceConfig | None:
    """Find what a model's tokens cost: by its name, else by the longest pattern that fits."""
    if model in prices:
        return prices[model]
    fitting = [pattern for pattern in prices if fnmatchcase(model, pattern)]
    return prices[max(fitting, key=len)] if fitting else None


def _check_budget(config: RunConfig, models: list[PlannedModel], origin: Origin) -> None:
    unpriced = [model.name for model in models if model.price is None]
    if config.budget.cost is not None and unpriced:
        raise ConfigError(
            f"there is a budget, and no price for '{unpriced[0]}'",
            where=origin.where("budget", "cost"),
            hint=f"add `prices: {{{unpriced[0]}: {{input: ..., output: ...}}}}`, for a million"
            " tokens each",
        )


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


def _each_key_once(tasks: Iterable[PlannedTask]) -> tuple[PlannedTask, ...]:
    """Refuse two tasks with one key: their results would overwrite each other."""
    planned: dict[str, PlannedTask] = {}
    for task in tasks:
        if not NAME_PATTERN.fullmatch(task.dataset_name):
            raise ConfigError(
                f"'{task.dataset_name}' cannot be a data set's name: no space, slash or colon",
                hint="give the data set a `name:`",
            )
        if task.key in planned:
            raise ConfigError(
                f"two tasks are called '{task.key}'",
                hint="give one of the tasks a `variant:`, or its data set another `name:`",
            )
        planned[task.key] = task
    return tuple(planned.values())
