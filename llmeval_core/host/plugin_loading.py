"""Loads plugins through their entry points, each under a guard of its own.

Only this package and `hooks` know pluggy. What comes out is a list of plugin records and, for
those that work, what they register.
"""

from __future__ import annotations

import inspect
import logging
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

import importlib_metadata
import pluggy

from llmeval_core import hooks
from llmeval_core.errors import PluginError, describe_error, must_propagate
from llmeval_core.hooks import ENTRY_POINT_GROUP
from llmeval_core.host.discovery import SkippedDistribution, find_entry_points, origin
from llmeval_core.host.plugins import Host, Plugin, PluginState
from llmeval_core.host.registrations import checked_registrations
from llmeval_core.naming import did_you_mean
from llmeval_core.process_state import contained

_log = logging.getLogger("llmeval")

_PREFIX = "llmeval_register_"


def load_plugins(
    *,
    disabled: Iterable[str] = (),
    environ: Mapping[str, str] = os.environ,
    entry_points: Iterable[importlib_metadata.EntryPoint] | None = None,
) -> Host:
    """Load every installed plugin of the entry-point group `llmeval`.

    Args:
        disabled: entry points to leave alone (`-p no:NAME`), besides those in
            `LLMEVAL_DISABLE_PLUGINS=a,b`; by name, or by `distribution:name`.
        environ: where the `LLMEVAL_` variables are read.
        entry_points: what to load instead of what is installed, for tests.

    Raises:
        PluginError: a plugin is broken and `LLMEVAL_STRICT_PLUGINS=1` is set.
    """
    skipped: list[SkippedDistribution] = []
    if entry_points is None:
        entry_points, skipped = find_entry_points(ENTRY_POINT_GROUP)
    off = {*disabled, *environ.get("LLMEVAL_DISABLE_PLUGINS", "").replace(" ", "").split(",")}
    off.discard("")
    manager = pluggy.PluginManager("llmeval")
    manager.add_hookspecs(hooks)
    found = sorted(entry_points, key=lambda point: (point.name, point.value))
    _warn_of_unknown(off, found, skipped)
    plugins = [_load(point, manager, off) for point in found]
    plugins += [_not_loaded(one) for one in skipped]
    host = Host(tuple(plugins), manager)
    unusable = (*host.broken, *host.unreadable)
    if unusable and environ.get("LLMEVAL_STRICT_PLUGINS") == "1":
        first = unusable[0]
        raise PluginError(
            f"plugin '{first.name}' is broken: {first.reason}",
            where=first.label,
            hint="`llmeval plugins` lists all; unset LLMEVAL_STRICT_PLUGINS to go on without it",
        )
    return host


def _warn_of_unknown(
    off: set[str],
    found: list[importlib_metadata.EntryPoint],
    skipped: list[SkippedDistribution],
) -> None:
    """Warn of names that disable nothing: the plugin that was meant is loaded all the same."""
    names = [point.name for point in found]
    known = {*names, *(f"{origin(point)[0]}:{point.name}" for point in found)}
    unclear = {one.distribution for one in skipped}
    for name in sorted(off - known):
        if name.partition(":")[0] not in unclear:
            hint = did_you_mean(name, known) or "`llmeval plugins` lists them"
            _log.warning("there is no plugin '%s' to be disabled; %s", name, hint)


def _not_loaded(one: SkippedDistribution) -> Plugin:
    state: PluginState = "shadowed" if one.is_shadowed else "unreadable"
    return Plugin(one.distribution, one.distribution, one.version, state, 0.0, one.reason)


def _load(
    point: importlib_metadata.EntryPoint, manager: pluggy.PluginManager, off: set[str]
) -> Plugin:
    distribution, version = origin(point)
    if {point.name, f"{distribution}:{point.name}"} & off:
        return Plugin(point.name, distribution, version, "disabled", 0.0)
    started = time.perf_counter()
    name: str | None = None
    try:
        with contained():
            module = point.load()
            name = _register(module, f"{distribution}:{point.name}", manager)
            _refuse_wrong_hooks(module, manager)
            registered = _registrations(module, manager)
    except BaseException as err:  # plugin boundary: a plugin can do anything
        if name is not None:
            manager.unregister(name=name)
        if must_propagate(err):
            raise
        _log.debug("plugin '%s' of %s is broken", point.name, distribution, exc_info=True)
        reason = str(err) if isinstance(err, PluginError) else describe_error(err)
        elapsed = time.perf_counter() - started
        return Plugin(point.name, distribution, version, "broken", elapsed, reason)
    elapsed = time.perf_counter() - started
    return Plugin(
        point.name,
        distribution,
        version,
        "loaded",
        elapsed,
        registered=registered,
        module=point.module,
    )


def _register(module: object, name: str, manager: pluggy.PluginManager) -> str:
    """Let pluggy find the hooks, and return the name under which it knows the plugin.

    Two entry points of one distribution may have one name.

    Raises:
        PluginError: another entry point leads to the same module, or a hook is not marked.
    """
    known = manager.get_name(module) if manager.is_registered(module) else None
    if known is not None:
        raise PluginError(f"it is the same module as the plugin '{known}', and is loaded once")
    _refuse_unmarked_hooks(module)
    number = 1
    unique = name
    while manager.has_plugin(unique):
        number += 1
        unique = f"{name} ({number})"
    registered = manager.register(module, name=unique)
    assert registered is not None  # nobody blocks names
    return registered


def _refuse_unmarked_hooks(module: object) -> None:
    """Refuse a function with a hook's name that lacks `@hookimpl`: it would never be called."""
    known = _hook_names()
    for name in dir(module):
        if not name.startswith(_PREFIX) and name not in known:
            continue
        function = getattr(module, name)
        is_ours = getattr(function, "__module__", None) == hooks.__name__
        if callable(function) and not is_ours and not is_hook(function):
            raise PluginError(f"hook '{name}' lacks @hookimpl, and is never called")


def is_hook(function: object) -> bool:
    """Say whether something is marked with `@hookimpl`."""
    return hasattr(function, "llmeval_impl")


def _refuse_wrong_hooks(module: object, manager: pluggy.PluginManager) -> None:
    for caller in manager.get_hookcallers(module) or []:
        if not caller.has_spec():
            hint = did_you_mean(caller.name, _hook_names())
            raise PluginError(f"there is no hook '{caller.name}'" + (f"; {hint}" if hint else ""))
        for impl in caller.get_hookimpls():
            if impl.plugin is module and (
                inspect.iscoroutinefunction(impl.function)
                or inspect.isasyncgenfunction(impl.function)
            ):
                raise PluginError(f"hook '{caller.name}' is async; hooks are plain functions")


def _hook_names() -> list[str]:
    return [name for name in vars(hooks) if name.startswith("llmeval_")]


def _registrations(module: object, manager: pluggy.PluginManager) -> dict[str, tuple[Any, ...]]:
    """Call each registering hook of one plugin and check what it gives."""
    registered: dict[str, tuple[Any, ...]] = {}
    for caller in manager.get_hookcallers(module) or []:
        kind = caller.name.removeprefix(_PREFIX)
        if kind == caller.name:
            continue
        for impl in caller.get_hookimpls():
            if impl.plugin is module:
                given: object = impl.function()
                registered[kind] = checked_registrations(kind, caller.name, given)
    return registered
