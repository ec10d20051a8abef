"""Arguments of the functions of `llmeval`, checked where they come in.

What a caller gave is of any type, whatever the signature says: a wrong one is a `ConfigError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from llmeval_core.api import ConfigError, Progress, SilentMeter, TaskMeter, project_folder

_TOLD = ("model_opening", "waiting", "message", "task_started")
_TOLD_OF_A_TASK = ("samples_skipped", "sample_finished", "task_finished")


def checked_path(value: object, name: str) -> str:
    """Return a path as text.

    Raises:
        ConfigError: it is none.
    """
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(path, str):
        raise wrong_argument(name, "a path", value)
    if "\0" in path:
        raise ConfigError("a path has no NUL character in it", where=f"llmeval, {name}=")
    return path


def checked_home(home: str | os.PathLike[str] | None) -> Path:
    """Return the project's folder: the one that is named, or the default.

    Raises:
        ConfigError: what is named is no path.
    """
    return project_folder(None if home is None else checked_path(home, "home"))


def checked_text(value: object, name: str) -> str:
    """Return a text.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(value, str):
        raise wrong_argument(name, "a text", value)
    return value


def checked_texts(value: object, name: str) -> tuple[str, ...]:
    """Return one text, or several, as a tuple.

    Raises:
        ConfigError: it is neither.
    """
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, Iterable) or isinstance(listed, bytes):
        raise wrong_argument(name, "a text or a list of texts", value)
    return tuple(checked_text(one, f"{name}[{index}]") for index, one in enumerate(listed))


def checked_count(value: object, name: str) -> int | None:
    """Return a number from 0 on; None for none.

    Raises:
        ConfigError: it is another thing.
    """
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise wrong_argument(name, "a number from 0 on", value)
    return value


def checked_progress(value: object) -> bool | Progress:
    """Return whether progress is shown, or who is told.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(value, bool):
        return value
    lacking = _lacking(value, _TOLD)
    if isinstance(value, type) or len(lacking) == len(_TOLD):
        wanted = "True, False or an object with the methods of llmeval.Progress"
        raise wrong_argument("progress", wanted, value)
    if lacking:
        raise ConfigError(
            f"progress has no method '{lacking[0]}'",
            where=f"llmeval, progress={type(value).__name__}",
            hint="give it all of them, or let its class inherit from llmeval.Progress",
        )
    told: Progress = value  # type: ignore[assignment]  # its methods are there
    return told


def checked_meter(value: object) -> TaskMeter:
    """Return what a caller's `task_started` gave; None is nobody who is told of the task.

    Raises:
        ConfigError: it is no meter.
    """
    if value is None:
        return SilentMeter()
    lacking = _lacking(value, _TOLD_OF_A_TASK)
    if lacking:
        raise ConfigError(
            f"what task_started gave has no method '{lacking[0]}'",
            where=f"llmeval, progress=: a {type(value).__name__}",
            hint="give an object with the methods of llmeval.TaskMeter, or None",
        )
    meter: TaskMeter = value  # type: ignore[assignment]  # its methods are there
    return meter


def _lacking(value: object, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not callable(getattr(value, name, None))]


def wrong_argument(name: str, wanted: str, value: object) -> ConfigError:
    """Say what an argument should be; only a number or a truth value is repeated as it is."""
    is_plain = value is None or isinstance(value, bool | int | float)
    given = repr(value) if is_plain else f"of the type '{type(value).__name__}'"
    hint = "give the keys of a mapping as keywords: run(**mapping)" if name == "run_file" else None
    return ConfigError(
        f"{name} should be {wanted}, not {given}",
        where=f"llmeval, {name}=",
        hint=hint if isinstance(value, Mapping) else None,
    )
