"""Is a plugin well-formed: does it load, and can all that it offers be used?"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from types import ModuleType
from typing import Any

import importlib_metadata
import yaml
from pydantic import ValidationError

from llmeval_core.config import Settings
from llmeval_core.contracts import (
    Dataset,
    Executor,
    Metric,
    ModelProvider,
    Solver,
    Task,
    TaskSource,
    Tool,
    Tracker,
)
from llmeval_core.errors import LlmevalError
from llmeval_core.hooks import ENTRY_POINT_GROUP, Component
from llmeval_core.host import COMPONENT_KINDS, Plugin, load_plugins
from llmeval_core.testing.checking_commands import check_commands

_CONTRACTS: dict[str, type] = {
    "datasets": Dataset,
    "tasks": Task,
    "models": ModelProvider,
    "metrics": Metric,
    "solvers": Solver,
    "tools": Tool,
    "trackers": Tracker,
    "executors": Executor,
}
_TAKEN = {"models": {"name", "provider", "generation"}, "trackers": {"use", "name", "required"}}
"""Keys that the run file itself has beside a component's settings, by kind."""

_TIMER = """
import time, sys, llmeval_core.hooks
begun = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - begun)
"""


def check_plugin(plugin: ModuleType | str) -> Plugin:
    """Load a plugin as the host does, and check everything that it offers.

    Factories are called with default settings, where a component has defaults for all of them.

    Args:
        plugin: a module, its name, or the name of an installed entry point.

    Returns:
        What the host knows of it. `load_s` is how long a fresh interpreter needs to import the
        module beside `llmeval_core.hooks`, seconds; every `llmeval run` waits for that.

    Raises:
        AssertionError: it cannot be loaded, or something it offers is not well-formed.
    """
    point = _entry_point(plugin)
    (loaded,) = load_plugins(entry_points=[point], environ={}).plugins
    assert loaded.state == "loaded", f"the plugin is {loaded.state}: {loaded.reason}"
    for kind, listed in loaded.registered.items():
        for registered in listed:
            check_registered(kind, registered)
    check_commands(point.module, loaded.registered.get("commands", ()))
    seconds = import_s(sys.modules[point.module])
    return loaded if seconds is None else dataclasses.replace(loaded, load_s=seconds)


def check_registered(kind: str, registered: Any) -> None:
    """Check that one registration is well-formed; Any: what it is depends on the kind.

    Args:
        kind: `datasets`, `metrics`, `commands`, ...; what follows `llmeval_register_`.
        registered: what the hook of that kind gave.

    Raises:
        AssertionError: it is not; the message says what is wrong.
    """
    if kind in COMPONENT_KINDS:
        where = f"{kind} '{registered.name}'"
        _check_line(registered.summary, f"{where}: the summary")
        _check_settings(kind, registered, where)
        _check_example(registered.example, where)
        _check_factory(kind, registered, where)
        _check_data(kind, registered, where)
    elif kind == "routes":
        where = f"route '{registered.prefix}'"
        assert registered.prefix.startswith("/"), f"{where}: the prefix begins with no slash"
        assert not registered.prefix.endswith("/"), f"{where}: the prefix ends with a slash"
        _check_line(registered.summary, f"{where}: the summary")
    elif kind == "checks":
        _check_line(registered.name, "the name of a check")


def _entry_point(plugin: ModuleType | str) -> importlib_metadata.EntryPoint:
    name = plugin if isinstance(plugin, str) else plugin.__name__
    point: importlib_metadata.EntryPoint
    if isinstance(plugin, str):
        for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP):
            if point.name == name:
                return point
    return importlib_metadata.EntryPoint(name=name, value=name, group=ENTRY_POINT_GROUP)


def import_s(module: ModuleType) -> float | None:
    """Import a module in a fresh interpreter; None if it was made by hand and has no file."""
    if module.__spec__ is None:
        return None
    path = [part for part in sys.path if part]
    timed = subprocess.run(  # noqa: S603  the interpreter that runs us
        [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}\n{_TIMER}", module.__name__],
        capture_output=True,
        text=True,
        check=False,
    )
    assert timed.returncode == 0, f"it does not import by itself: {timed.stderr}"
    return float(timed.stdout.split()[-1])


def _check_line(text: str, what: str) -> None:
    assert text.strip(), f"{what} is empty"
    assert "\n" not in text, f"{what} is more than a line"


def _check_settings(kind: str, component: Component[Settings, object], where: str) -> None:
    for key, field in component.config.model_fields.items():
        assert field.description, f"{where}: setting '{key}' has no description"
        assert key not in _TAKEN.get(kind, {"use", "name"}), (
            f"{where}: setting '{key}' can never be set, the run file takes it for its own key"
        )


def _check_data(kind: str, component: Component[Settings, object], where: str) -> None:
    """Check that a tool that reads a file tells its content, as far as its class shows that."""
    made = component.factory
    if kind != "tools" or not isinstance(made, type) or hasattr(made, "fingerprint"):
        return
    for key, field in component.config.model_fields.items():
        assert "Path" not in str(field.annotation), (
            f"{where}: it reads a file (setting '{key}') and has no fingerprint(): when the file"
            " changes, answers that were made with the old one would stay; see `DataTool`"
        )


def _check_example(example: str, where: str) -> None:
    try:
        yaml.safe_load(example)
    except yaml.YAMLError as err:
        raise AssertionError(f"{where}: the example is no YAML: {err}") from err


def _check_factory(kind: str, component: Component[Settings, object], where: str) -> None:
    try:
        settings = component.config()
    except ValidationError:
        return  # A setting has no default: nothing can be made without a user.
    try:
        made = component.factory(settings)
    except LlmevalError:
        return  # It says what it lacks: a key, an extra.
    except Exception as err:
        kind_of_error = type(err).__name__
        raise AssertionError(f"{where}: the factory raised {kind_of_error}: {err}") from err
    if kind == "tasks" and isinstance(made, TaskSource):
        return
    contract = _CONTRACTS[kind]
    lacking = sorted(n for n in vars(contract) if not n.startswith("_") and not hasattr(made, n))
    assert not lacking, f"{where}: it has no {', '.join(lacking)}; see `{contract.__name__}`"
