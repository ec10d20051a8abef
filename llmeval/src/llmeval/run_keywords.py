"""The keywords of `llmeval.run`: the keys of a run file, as Python values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from llmeval.argument_check import wrong_argument
from llmeval_core.api import ConfigError, RunConfig, did_you_mean

_OTHER_WORDS = {"dataset": "tasks", "datasets": "tasks", "max_tokens": "generation"}
"""What callers write for a keyword that is called otherwise."""

Settings = Mapping[str, Any]
"""A mapping as it would stand in a run file; Any: checked when the run begins."""
_Name = str | os.PathLike[str] | Settings
Models = _Name | Sequence[_Name]
"""`provider/model`, or a mapping with `name` and the provider's settings; one or several."""
Tasks = _Name | Sequence[_Name]
"""The reference of a data set, such as `jsonl:faq.jsonl`, or a mapping with `dataset` (or `task`, a
ready-made one), `shots`, `metrics` and the rest; one or several."""
Components = _Name | Sequence[_Name]
"""`name` or `name:argument`, or a mapping with `use` and settings; one or several."""


class RunKeywords(TypedDict, total=False):
    """The keywords of `llmeval.run` that it passes on; docs/run-file.md tells what each means.

    What is left out is decided by the run file, or is the default.
    """

    roles: Mapping[str, str | Settings]
    executor: str | Settings | None
    generation: Settings
    reasoning_tags: Sequence[tuple[str, str]] | None
    truncated: str
    limit: int | None
    replace: bool
    seed: int
    concurrency: int | None
    max_concurrency: int
    limits: Settings
    prices: Mapping[str, Settings]
    budget: Settings
    max_samples_failed: float | None
    fail_fast: bool
    give_up_after: int
    retry: Settings
    timeouts: Settings


def as_run_file(
    *,
    models: Models | None,
    tasks: Tasks | None,
    metrics: Components | None,
    trackers: Components | None,
    has_run_file: bool,
    others: RunKeywords,
) -> dict[str, Any]:
    """Write what was given as keys of a run file; Any: they are checked afterwards.

    Raises:
        ConfigError: a keyword is unknown or of a wrong type; or there is no run file, and models
            or tasks are missing.
    """
    _refuse_unknown(others)
    keys: dict[str, Any] = {key: _without_paths(value) for key, value in others.items()}
    lists = {"models": models, "tasks": tasks, "metrics": metrics, "trackers": trackers}
    for key, value in lists.items():
        if value is not None:
            listed = _listed(key, value)
            keys[key] = [_as_task(one) if key == "tasks" else one for one in listed]
    for key in ("models", "tasks"):
        if key not in keys and not has_run_file:
            raise ConfigError(
                f"nothing to run: no {key}",
                where="llmeval.run",
                hint="give models=[...] and tasks=[...], or name a run file",
            )
    return keys


def _refuse_unknown(others: Mapping[str, Any]) -> None:
    """Refuse what is no key of a run file, before anything is called missing."""
    keywords = {*RunConfig.model_fields, "run_file", "again", "home", "progress"}
    unknown = next((key for key in others if key not in keywords), None)
    if unknown is None:
        return
    meant = _OTHER_WORDS.get(unknown)
    hint = f"did you mean '{meant}'?" if meant else did_you_mean(unknown, keywords)
    raise ConfigError(
        f"unknown key '{unknown}'",
        where=unknown,
        hint=hint or f"known keys: {', '.join(sorted(keywords))}",
    )


def _without_paths(value: Any) -> Any:
    """Write paths as texts, wherever they stand; Any: what a caller gave."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {key: _without_paths(one) for key, one in value.items()}
    return [_without_paths(one) for one in value] if isinstance(value, list | tuple) else value


def _listed(key: str, value: Any) -> list[Any]:
    """Put one thing in a list; Any: what a caller gave, checked in the run's own thread."""
    if isinstance(value, str | Mapping | os.PathLike):
        return [_without_paths(value)]
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [_without_paths(one) for one in value]
    raise wrong_argument(key, "a text, a mapping or a list of them", value)


def _as_task(value: Any) -> Any:
    """Write a data set as a task; Any: what a caller gave."""
    return {"dataset": value} if isinstance(value, str) else value
