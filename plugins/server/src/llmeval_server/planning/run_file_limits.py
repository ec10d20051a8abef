"""Limits on the size of a run file: the number of its items and tasks, and their names."""

from __future__ import annotations

from collections.abc import Iterator

from llmeval_core.api import Origin, RunConfig
from llmeval_core.hooks import ConfigError
from llmeval_server.server_settings import ServerSettings, variable_of

MAX_NAME_LENGTH = 500
"""Most characters in the name of a model, data set, metric or tracker, with its argument."""

_KeyPath = tuple[int | str, ...]


def check_limits(config: RunConfig, origin: Origin, settings: ServerSettings) -> None:
    """Check that a run file is not too large to be planned.

    Raises:
        ConfigError: there are too many of something, or a name is too long.
    """
    most = settings.max_items
    lists: list[tuple[str, _KeyPath, int]] = [
        ("models", ("models",), len(config.models)),
        ("tasks", ("tasks",), len(config.tasks)),
        ("metrics", ("metrics",), len(config.metrics or ())),
        ("trackers", ("trackers",), len(config.trackers)),
    ]
    for index, task in enumerate(config.tasks):
        lists.append(("metrics", ("tasks", index, "metrics"), len(task.metrics or ())))
        lists.append(("numbers of shots", ("tasks", index, "shots"), len(task.shots or ())))
    for what, path, n_items in lists:
        if n_items > most:
            raise _too_many(f"{n_items:,} {what}", most, "max_items", origin.where(*path))
    for name, path in _names(config):
        if len(name) > MAX_NAME_LENGTH:
            raise ConfigError(
                f"a name has {len(name):,} characters; at most {MAX_NAME_LENGTH} are allowed",
                where=origin.where(*path),
                hint="give a name as the catalogue or the data set's hub has it",
            )
    n_tasks = sum(len(task.shots or (0,)) for task in config.tasks) * len(config.models)
    if n_tasks > settings.max_job_tasks:
        what = f"{n_tasks:,} tasks (models × tasks × shots)"
        raise _too_many(what, settings.max_job_tasks, "max_job_tasks", origin.where("tasks"))


def _names(config: RunConfig) -> Iterator[tuple[str, _KeyPath]]:
    for index, model in enumerate(config.models):
        yield model.name, ("models", index)
    for index, task in enumerate(config.tasks):
        for key in ("dataset", "task", "solver"):
            component = getattr(task, key)
            if component is not None:
                yield component.use, ("tasks", index, key)
        for number, metric in enumerate(task.metrics or ()):
            yield metric.use, ("tasks", index, "metrics", number)
    for role, model in config.roles.items():
        yield model.name, ("roles", role)
    for index, metric in enumerate(config.metrics or ()):
        yield metric.use, ("metrics", index)
    for index, tracker in enumerate(config.trackers):
        yield tracker.use, ("trackers", index)
        yield tracker.name or "", ("trackers", index, "name")


def _too_many(what: str, most: int, setting: str, where: str) -> ConfigError:
    return ConfigError(
        f"the run file has {what}; at most {most:,} are allowed",
        where=where,
        hint=f"split it into several jobs; {variable_of(setting)} on the server allows more",
    )
