"""The keywords of `llmeval.run`: the keys of a run file, as Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from llmeval_core.api import ConfigError

Settings = Mapping[str, Any]
"""A mapping as it would stand in a run file; Any: checked when the run begins."""
Models = str | Settings | Sequence[str | Settings]
"""`provider/model`, or a mapping with `name` and the provider's settings; one or several."""
Tasks = str | Settings | Sequence[str | Settings]
"""The reference of a data set, such as `jsonl:faq.jsonl`, or a mapping with `dataset` (or `task`, a
ready-made one), `shots`, `metrics` and the rest; one or several."""
Components = str | Settings | Sequence[str | Settings]
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
        ConfigError: there is no run file, and models or tasks are missing.
    """
    keys: dict[str, Any] = {**others}
    lists = {"models": models, "tasks": tasks, "metrics": metrics, "trackers": trackers}
    for key, value in lists.items():
        if value is not None:
            keys[key] = [_as_task(one) if key == "tasks" else one for one in _listed(value)]
    for key in ("models", "tasks"):
        if key not in keys and not has_run_file:
            raise ConfigError(
                f"nothing to run: no {key}",
                where="llmeval.run",
                hint="give models=[...] and tasks=[...], or name a run file",
            )
    return keys


def _listed(value: str | Settings | Sequence[str | Settings]) -> list[str | Settings]:
    return [value] if isinstance(value, str | Mapping) else list(value)


def _as_task(value: str | Settings) -> Settings:
    return {"dataset": value} if isinstance(value, str) else value
