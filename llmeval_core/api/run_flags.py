"""The flags of the command line as settings of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmeval_core.api.run_settings import make_config
from llmeval_core.config import KeyPath, Origin, RunConfig
from llmeval_core.errors import ConfigError


def read_config(
    run_file: Path | None,
    *,
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    shots: str | None,
    metrics: tuple[str, ...],
    trackers: tuple[str, ...],
    max_tokens: int | None,
    **scalars: Any,
) -> tuple[RunConfig, Origin]:
    """Read the run file and lay the flags over it; flags win, over its tasks and models too.

    Any: the remaining flags, `limit`, `seed` and so on, each of its own type.

    Raises:
        ConfigError: the run file or a flag is wrong, or a model or data set is missing.
    """
    numbers = _shots(shots) if shots is not None else None
    budget = _budget(scalars)
    changes, flags = _from_flags(
        {
            "models": ("-m", models),
            "metrics": ("--metric", metrics),
            "trackers": ("--tracker", trackers),
        },
        scalars,
    )
    if datasets:
        changes["tasks"] = [{"dataset": name, "shots": numbers} for name in datasets]
        flags |= {("tasks", i): f"-d {name}" for i, name in enumerate(datasets)}
    if run_file is None:
        for key, option in (("models", "-m"), ("tasks", "-d")):
            if key not in changes:
                raise ConfigError(
                    f"nothing to run: no {key}",
                    hint=f"name a run file, or give {option}; `llmeval run --help` has an example",
                )
    return make_config(
        run_file, changes, flags=flags, shots=numbers, max_tokens=max_tokens, budget=budget
    )


def _from_flags(
    lists: dict[str, tuple[str, tuple[str, ...]]], scalars: dict[str, Any]
) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    """Turn flags into the keys of a run file, and remember which flag each came from."""
    changes: dict[str, Any] = {}
    flags: dict[KeyPath, str] = {}
    for key, (option, values) in lists.items():
        if values:
            changes[key] = list(values)
            flags |= {(key, i): f"{option} {value}" for i, value in enumerate(values)}
    for key, value in scalars.items():
        if value is not None:
            changes[key] = value
            option = f"--{key.replace('_', '-')}"
            flags[(key,)] = option if value is True else f"{option} {value}"
    return changes, flags


def _budget(scalars: dict[str, Any]) -> dict[str, Any]:
    """Take the parts of a budget out of the flags."""
    parts = {"cost": scalars.pop("max_cost", None), "tokens": scalars.pop("max_total_tokens", None)}
    return {key: value for key, value in parts.items() if value is not None}


def _shots(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = (-1,)
    if min(numbers) < 0:
        raise ConfigError(
            f"'{text}' is not a list of numbers", where="--shots", hint="write --shots 0,4"
        )
    return numbers
