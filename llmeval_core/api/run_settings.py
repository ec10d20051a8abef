"""A run file with other settings laid over it: flags of the command line, arguments from Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmeval_core.config import (
    GenerationConfig,
    KeyPath,
    Origin,
    RunConfig,
    load_run_file,
    validate,
)


def make_config(
    run_file: Path | None,
    changes: Mapping[str, Any],
    *,
    flags: Mapping[KeyPath, str] | None = None,
    shots: tuple[int, ...] | None = None,
    max_tokens: int | None = None,
    budget: Mapping[str, Any] | None = None,
) -> tuple[RunConfig, Origin]:
    """Read the run file and lay other settings over it; Any: what a user wrote, checked here.

    Args:
        run_file: the file; None if `changes` has everything.
        changes: keys of a run file, which take the place of those in it. `metrics` also take the
            place of those that a task of the file names itself; of `roles` those that are named
            take the place of the file's, one by one.
        flags: where a change comes from, for errors; its key if left out.
        shots, max_tokens: take the place of those of every task and model.
        budget: parts of the budget, laid over the file's.

    Raises:
        ConfigError: the run file or a change is wrong.
    """
    changes = dict(changes)
    if run_file is None:
        origin = Origin(flags=flags or {})
        if budget:
            changes["budget"] = dict(budget)
        if max_tokens is not None:
            changes["generation"] = {"max_tokens": max_tokens}
        return validate(RunConfig, changes, origin=origin), origin
    config, origin = load_run_file(run_file)
    if budget:
        changes["budget"] = config.budget.model_dump() | dict(budget)
    if isinstance(changes.get("roles"), Mapping):
        changes["roles"] = {**config.roles, **changes["roles"]}
    origin = Origin(origin.file, origin.lines, flags or {})
    checked = validate(
        RunConfig, {"models": config.models, "tasks": config.tasks, **changes}, origin=origin
    )
    config = config.model_copy(update={key: getattr(checked, key) for key in changes})
    metrics_win = bool(changes.get("metrics")) and "tasks" not in changes
    return _win_over_parts(config, shots, metrics_win, max_tokens), origin


def _win_over_parts(
    config: RunConfig, shots: tuple[int, ...] | None, metrics: bool, max_tokens: int | None
) -> RunConfig:
    """Take out of tasks and models what would hide a change."""
    update: dict[str, Any] = {}  # Any: keys of different types
    if shots is not None:
        update["shots"] = shots
    if metrics:
        update["metrics"] = None
    tasks = [task.model_copy(update=update) for task in config.tasks]
    models = list(config.models)
    generation = config.generation
    if max_tokens is not None:
        generation = generation.model_copy(update={"max_tokens": max_tokens})
        tasks = [
            task.model_copy(update={"generation": _without_max_tokens(task.generation)})
            for task in tasks
        ]
        models = [
            model.model_copy(update={"generation": _without_max_tokens(model.generation)})
            if model.generation is not None
            else model
            for model in models
        ]
    return config.model_copy(
        update={"tasks": tuple(tasks), "models": tuple(models), "generation": generation}
    )


def _without_max_tokens(generation: GenerationConfig) -> GenerationConfig:
    """Leave the key out; None would say that it is not sent."""
    left = generation.model_fields_set - {"max_tokens"}
    return GenerationConfig.model_construct(
        _fields_set=left, **{key: getattr(generation, key) for key in left}
    )
