"""From a RunConfig to a Plan: every name resolved, every default filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from llmeval_core.catalog.catalog import Catalog
from llmeval_core.catalog.entries import plan_entries, plan_evaluation
from llmeval_core.catalog.public_settings import public_settings
from llmeval_core.catalog.readiness import Preflight, ReadinessCheck
from llmeval_core.catalog.roles import notes_on_roles, plan_role, refuse_impossible_roles
from llmeval_core.config import (
    ComponentConfig,
    GenerationConfig,
    KeyPath,
    ModelConfig,
    Origin,
    PriceConfig,
    RunConfig,
    TrackerConfig,
)
from llmeval_core.contracts import Executor, ModelInfo, Observer
from llmeval_core.errors import ConfigError, PluginError, wrap_plugin_errors
from llmeval_core.naming import fingerprint, split_model_name
from llmeval_core.plan import Plan, PlannedModel, PlannedTracker, is_asked_here


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
        _plan_run_model(model, config, catalog, origin, ("models", index))
        for index, model in enumerate(config.models)
    ]
    roles = {
        role: plan_role(
            _plan_run_model(model, config, catalog, origin, ("roles", role)), model.generation
        )
        for role, model in config.roles.items()
    }
    _check_budget(config, [*models, *(role.model for role in roles.values())], origin)
    readiness = ReadinessCheck(preflight, catalog.redactor)
    trackers = tuple(
        tracker
        for index, tracker in enumerate(make_trackers(config.trackers, catalog, origin=origin))
        if readiness.tracker(tracker, where=origin.where("trackers", index))
    )
    asked_models: list[tuple[PlannedModel, KeyPath]] = [
        (planned, ("models", index)) for index, planned in enumerate(models)
    ]
    asked_models += [(role.model, ("roles", name)) for name, role in roles.items()]
    for planned, path in asked_models:
        asked_here = is_asked_here(
            planned, has_executor=config.executor is not None, has_roles=bool(roles)
        )
        readiness.model(planned, where=origin.where(*path), is_asked_here=asked_here)
    executor: Executor | None = None
    if config.executor is not None:
        executor, _ = catalog.build("executors", config.executor, origin=origin, path=("executor",))
    entries = plan_entries(config, catalog, roles, origin=origin)
    evaluations = tuple(
        plan_evaluation(planned, model.generation or GenerationConfig(), entries)
        for planned, model in zip(models, config.models, strict=True)
    )
    refuse_impossible_roles(evaluations, roles, executor, origin=origin)
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
        notes=(
            *dict.fromkeys(readiness.notes),
            *(note for entry in entries for note in entry.notes),
            *notes_on_roles(evaluations, roles),
            *_notes_on_prices(planned for planned, _ in asked_models),
        ),
        roles=roles,
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


def _plan_run_model(
    model: ModelConfig, config: RunConfig, catalog: Catalog, origin: Origin, path: KeyPath
) -> PlannedModel:
    """Resolve a model with what the run says of it elsewhere."""
    return replace(
        plan_model(model, catalog, origin, path),
        limits=model.limits or config.limits,
        price=price_of(model.name, config.prices),
        reasoning_tags=model.reasoning_tags,
    )


def plan_model(
    config: ModelConfig, catalog: Catalog, origin: Origin, path: KeyPath
) -> PlannedModel:
    """Resolve a model at its place in the run file; opens nothing.

    Raises:
        LlmevalError: there is no such provider or model, or a setting is wrong.
    """
    provider_name, model = split_model_name(config.name)
    component = ComponentConfig.model_validate(
        {"use": config.provider or provider_name, **config.settings}
    )
    provider, _ = catalog.build("models", component, origin=origin, path=path)
    try:
        what = f"model provider '{component.use}' cannot tell about '{model}'"
        with wrap_plugin_errors(PluginError, what, where=origin.where(*path)):
            info = provider.describe(model)
            if not isinstance(info, ModelInfo):
                raise TypeError(f"describe() gave a {type(info).__name__}, not a ModelInfo")
    except ConfigError as err:
        err.where = err.where or origin.where(*path)
        raise
    return PlannedModel(config.name, provider, model, info, public_settings(config.settings))


def price_of(model: str, prices: Mapping[str, PriceConfig]) -> PriceConfig | None:
    """Find what a model's tokens cost: by its name, else by the longest pattern that fits."""
    if model in prices:
        return prices[model]
    fitting = [pattern for pattern in prices if fnmatchcase(model, pattern)]
    return prices[max(fitting, key=len)] if fitting else None


def _notes_on_prices(models: Iterable[PlannedModel]) -> list[str]:
    """Say which of the models behind servers no cost is known of, if that of others is."""
    served = [model for model in models if model.info.endpoint is not None]
    unpriced = dict.fromkeys(model.name for model in served if model.price is None)
    if not unpriced or all(model.price is None for model in served):
        return []
    return [f"no price for {', '.join(unpriced)}: costs are those of the other models alone"]


def _check_budget(config: RunConfig, models: list[PlannedModel], origin: Origin) -> None:
    unpriced = [model.name for model in models if model.price is None]
    if config.budget.cost is not None and unpriced:
        raise ConfigError(
            f"there is a budget, and no price for '{unpriced[0]}'",
            where=origin.where("budget", "cost"),
            hint=f"add `prices: {{{unpriced[0]}: {{input: ..., output: ...}}}}`, for a million"
            " tokens each",
        )
