"""The flags of the command line as settings of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmeval_core.api.key_values import read_key_values
from llmeval_core.api.run_settings import make_config
from llmeval_core.config import KeyPath, ModelConfig, Origin, RunConfig, validate
from llmeval_core.errors import ConfigError

OPENAI_API = "openai_compatible"
"""The provider that hints name for a server of which only the address is known."""


def read_config(
    run_file: Path | None,
    *,
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    shots: tuple[str, ...],
    metrics: tuple[str, ...],
    trackers: tuple[str, ...],
    max_tokens: int | None,
    **scalars: Any,
) -> tuple[RunConfig, Origin]:
    """Read the run file and lay the flags over it; flags win, over its tasks and models too.

    Args:
        run_file: the file; None for flags alone.
        models, datasets, metrics, trackers: names, as in a run file.
        shots: numbers of examples, each text one or several: `0,4`.
        max_tokens: of each generation.
        scalars: the remaining flags, `limit`, `seed` and so on, Any: each of its own type; among
            them `base_url` and `model_settings` (`KEY=VALUE`), which are of every model,
            `ready_tasks`, names too, and `roles` (`ROLE=PROVIDER/MODEL`).

    Raises:
        ConfigError: the run file or a flag is wrong, or a model or data set is missing.
    """
    settings = _model_settings(
        scalars.pop("base_url", None), scalars.pop("model_settings", ()), models
    )
    ready_tasks, roles = scalars.pop("ready_tasks", ()), scalars.pop("roles", ())
    numbers = tuple(n for text in shots for n in _shots(text)) or None
    budget = _budget(scalars)
    changes, flags = _from_flags(
        {
            "models": ("-m", models),
            "metrics": ("--metric", metrics),
            "trackers": ("--tracker", trackers),
        },
        scalars,
    )
    if datasets or ready_tasks:
        named = [("dataset", "-d", name) for name in datasets]
        named += [("task", "-t", name) for name in ready_tasks]
        changes["tasks"] = [{key: name, "shots": numbers} for key, _, name in named]
        flags |= {("tasks", i): f"{flag} {name}" for i, (_, flag, name) in enumerate(named)}
    if roles:
        changes["roles"], told = _roles(roles)
        flags |= told
    if run_file is None:
        for key, option in (("models", "-m"), ("tasks", "-d")):
            if key not in changes:
                raise ConfigError(
                    f"nothing to run: no {key}",
                    hint=f"name a run file, or give {option}; `llmeval run --help` has an example",
                )
    config, origin = make_config(
        run_file, changes, flags=flags, shots=numbers, max_tokens=max_tokens, budget=budget
    )
    return _with_settings(config, origin, settings) if settings else (config, origin)


def _roles(texts: tuple[str, ...]) -> tuple[dict[str, str], dict[KeyPath, str]]:
    """Read who has which role, and the flag that says so.

    Raises:
        ConfigError: one cannot be read, or two models have one role.
    """
    models: dict[str, str] = {}
    flags: dict[KeyPath, str] = {}
    for text in texts:
        role, model = _role(text)
        if role in models:
            raise ConfigError(
                f"two models have the role '{role}'",
                where=f"--role {text}",
                hint="leave one of them out, or give it another role",
            )
        models[role], flags["roles", role] = model, f"--role {text}"
    return models, flags


def _role(text: str) -> tuple[str, str]:
    role, equals, model = text.partition("=")
    if role and equals and model:
        return role, model
    raise ConfigError(
        f"'{text}' does not say who has which role",
        where=f"--role {text}",
        hint="write --role judge=PROVIDER/MODEL",
    )


def _model_settings(
    base_url: str | None, pairs: tuple[str, ...], models: tuple[str, ...]
) -> dict[str, tuple[Any, str]]:
    """Collect settings of models, each with its flag; Any: what YAML gives.

    Raises:
        ConfigError: one is not `KEY=VALUE`, or a model at an address has no provider.
    """
    option = "--model-setting"
    settings = {
        key: (value, f"{option} {key}") for key, value in read_key_values(pairs, option).items()
    }
    if "name" in settings:
        raise ConfigError(
            "a model's name is no setting", where=settings["name"][1], hint="give it with -m"
        )
    if base_url is not None:
        if "base_url" in settings:
            raise ConfigError(
                "the address of the models' server is given twice",
                where=f"--base-url, {option} base_url",
                hint="leave one of them out",
            )
        settings["base_url"] = base_url, "--base-url"
        bare = next((model for model in models if "/" not in model), None)
        if bare is not None:
            raise ConfigError(
                f"'{bare}' is not of the form provider/model",
                where=f"-m {bare}",
                hint=f"write {OPENAI_API}/{bare} for a server with OpenAI's API",
            )
    return settings


def _with_settings(
    config: RunConfig, origin: Origin, settings: dict[str, tuple[Any, str]]
) -> tuple[RunConfig, Origin]:
    """Lay settings over those of every model; errors name the flag, and do not repeat its value."""
    values = {key: value for key, (value, _) in settings.items()}
    flags: dict[KeyPath, str] = {
        ("models", index, key): flag if len(config.models) == 1 else f"{flag}, of {model.name}"
        for index, model in enumerate(config.models)
        for key, (_, flag) in settings.items()
    }
    origin = Origin(origin.file, origin.lines, {**origin.flags, **flags})
    models = tuple(
        validate(
            ModelConfig,
            {**{key: getattr(model, key) for key in model.model_fields_set}, **values},
            origin=origin,
            prefix=("models", index),
        )
        for index, model in enumerate(config.models)
    )
    return config.model_copy(update={"models": models}), origin


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
