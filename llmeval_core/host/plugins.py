"""The plugins of a process: what became of each entry point, and what it registers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pluggy

from llmeval_core.errors import describe_error, must_propagate
from llmeval_core.hooks import Component
from llmeval_core.naming import Json
from llmeval_core.process_state import contained
from llmeval_core.records import RunSummary, TaskResult

_log = logging.getLogger("llmeval")

PluginState = Literal["loaded", "broken", "disabled", "unreadable", "shadowed"]

COMPONENT_KINDS = (
    "datasets", "tasks", "models", "metrics", "solvers", "tools", "trackers", "executors"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point and what became of it; or a distribution that was passed over.

    Args:
        name: the entry point's name; the distribution's if its entry points are not known.
        distribution, version: what was pip-installed; `?` if unknown.
        state: whether it can be used. `unreadable`: nobody knows whether this distribution has
            plugins; `shadowed`: another distribution of its name comes first.
        load_s: how long importing and asking it took, seconds.
        reason: why it is not used; None otherwise.
        registered: by kind, what its `llmeval_register_*` hooks gave.
        module: where its hooks are; None if that is not known.
    """

    name: str
    distribution: str
    version: str
    state: PluginState
    load_s: float
    reason: str | None = None
    registered: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # Any: see hooks
    module: str | None = None

    @property
    def label(self) -> str:
        """The distribution and its version, for messages."""
        return f"{self.distribution} {self.version}"

    @property
    def names(self) -> dict[str, list[str]]:
        """What it registers, by kind and name; kinds of which it registers nothing are left out."""
        return {
            kind: [registered_name(one) for one in listed]
            for kind, listed in self.registered.items()
            if listed
        }


def registered_name(one: Any) -> str:
    """Name what is registered; a route has a prefix instead. Any: each kind has its own class."""
    return str(getattr(one, "name", None) or getattr(one, "prefix", "?"))


class Host:
    """The plugins of this process.

    Args:
        plugins: what was found, in order of entry point names.
        manager: holds the working plugins' hooks.
    """

    def __init__(self, plugins: tuple[Plugin, ...], manager: pluggy.PluginManager) -> None:
        self.plugins = plugins
        self._manager = manager

    def components(self, kind: str) -> list[tuple[Component[Any, Any], Plugin]]:
        """List the components of one kind with the plugin each comes from."""
        return [
            (component, plugin)
            for plugin in self.plugins
            for component in plugin.registered.get(kind, ())
        ]

    def registered(self, kind: str) -> list[Any]:
        """List commands, routes or checks; Any: each kind has its own type, see hooks."""
        return [one for plugin in self.plugins for one in plugin.registered.get(kind, ())]

    @property
    def broken(self) -> tuple[Plugin, ...]:
        """The plugins that could not be used."""
        return tuple(plugin for plugin in self.plugins if plugin.state == "broken")

    @property
    def unreadable(self) -> tuple[Plugin, ...]:
        """The distributions whose entry points cannot be read; maybe they are no plugins."""
        return tuple(plugin for plugin in self.plugins if plugin.state == "unreadable")

    def before_run(self, plan: Mapping[str, Json]) -> None:
        """Call all observers; see `contracts.Observer`."""
        self._call_observers("llmeval_before_run", plan=plan)

    def after_task(self, result: TaskResult) -> None:
        """Call all observers; see `contracts.Observer`."""
        self._call_observers("llmeval_after_task", result=result)

    def after_run(self, summary: RunSummary) -> None:
        """Call all observers; see `contracts.Observer`."""
        self._call_observers("llmeval_after_run", summary=summary)

    def _call_observers(self, hook: str, **arguments: object) -> None:
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            try:
                with contained():
                    impl.function(*(arguments[name] for name in impl.argnames))
            except BaseException as err:  # plugin boundary: it stops no run
                if must_propagate(err):
                    raise
                _log.warning(
                    "plugin '%s' failed in %s: %s", impl.plugin_name, hook, describe_error(err)
                )
