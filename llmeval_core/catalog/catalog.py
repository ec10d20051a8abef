"""The components on offer, by kind and name, and how one is built from its settings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from llmeval_core.catalog.component_check import checked_component
from llmeval_core.config import (
    ComponentConfig,
    KeyPath,
    Origin,
    Redactor,
    Settings,
    expand_env,
    validate,
)
from llmeval_core.errors import (
    ConfigError,
    LlmevalError,
    PluginError,
    UnknownNameError,
    describe_error,
    must_propagate,
)
from llmeval_core.hooks import Component
from llmeval_core.naming import did_you_mean, split_reference
from llmeval_core.process_state import contained

Kind = Literal[
    "datasets", "tasks", "models", "metrics", "solvers", "tools", "trackers", "executors"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_SINGULAR = {
    "datasets": "data set",
    "tasks": "task",
    "models": "model provider",
    "metrics": "metric",
    "solvers": "solver",
    "tools": "tool",
    "trackers": "tracker",
    "executors": "executor",
}


_MOST_DISABLED_NAMED = 5


@dataclass(frozen=True, slots=True)
class RegisteredComponent:
    """A component and the distribution (with version) that registers it."""

    component: Component[Any, Any]  # Any: each has settings and a class of its own
    distribution: str


class Catalog:
    """Finds components by name and builds them.

    Args:
        components: by kind, everything that plugins register.
        broken: for hints, `name (distribution version): reason` of each broken plugin.
        disabled: for hints, the names of plugins that were left alone.
        environ: where `${NAME}` is looked up.
    """

    def __init__(
        self,
        components: Mapping[Kind, Iterable[RegisteredComponent]],
        *,
        broken: Iterable[str] = (),
        disabled: Iterable[str] = (),
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._components: dict[Kind, dict[str, list[RegisteredComponent]]] = {
            kind: {} for kind in KINDS
        }
        for kind, listed in components.items():
            for registered in listed:
                self._components[kind].setdefault(registered.component.name, []).append(registered)
        self._broken = tuple(broken)
        self._disabled = tuple(disabled)
        self._environ = environ
        self.redactor = Redactor()

    @property
    def disabled_hint(self) -> str | None:
        """What to try where a plugin that was left alone could bring a name.

        None if there is no such plugin, and if there are so many that naming them helps nobody.
        """
        if not 0 < len(self._disabled) <= _MOST_DISABLED_NAMED:
            return None
        names = " or ".join(f"'{name}'" for name in self._disabled)
        return (
            f"allow the plugin {names}, which may bring it and is disabled"
            " (-p no:NAME, LLMEVAL_DISABLE_PLUGINS)"
        )

    def names(self, kind: Kind) -> list[str]:
        """Name everything of one kind, sorted."""
        return sorted(self._components[kind])

    def components(self, kind: Kind) -> list[RegisteredComponent]:
        """List everything of one kind, sorted by name; conflicting names appear twice."""
        return [
            registered for name in self.names(kind) for registered in self._components[kind][name]
        ]

    def find(self, kind: Kind, name: str, *, where: str | None = None) -> RegisteredComponent:
        """Find a component.

        Raises:
            UnknownNameError: nobody offers it; the nearest name and broken plugins are named.
            PluginError: two distributions offer it.
        """
        found = self._components[kind].get(name, [])
        if len(found) == 1:
            return found[0]
        if found:
            who = " and ".join(registered.distribution for registered in found)
            raise PluginError(
                f"two plugins offer the {_SINGULAR[kind]} '{name}': {who}",
                where=where,
                hint="disable one with `-p no:NAME` or `-p no:DISTRIBUTION:NAME`;"
                " `llmeval plugins` lists both",
            )
        raise UnknownNameError(
            f"unknown {_SINGULAR[kind]} '{name}'", where=where, hint=self._what_to_try(kind, name)
        )

    def _what_to_try(self, kind: Kind, name: str) -> str:
        """Say what an unknown name could have meant, and which plugins could bring it."""
        reader = self.reader_of(kind, name)
        if reader is not None:
            hint = f"write {reader.component.name}:{name} for that file; "
        else:
            nearest = did_you_mean(name, self.names(kind))
            hint = f"{nearest} " if nearest else ""
        hint += self._where_listed(kind)
        for reason in self._broken:
            hint += f"\n         or mend the broken plugin {reason}"
        return hint + (f"\n         or {self.disabled_hint}" if self.disabled_hint else "")

    def _where_listed(self, kind: Kind) -> str:
        """Say how to see all components of a kind; executors have no command that lists them."""
        if kind != "executors":
            return f"`llmeval {kind}` lists all"
        names = ", ".join(self.names(kind))
        return f"there are: {names}" if names else "no executor is installed; leave it out"

    def reader_of(self, kind: Kind, path: str) -> RegisteredComponent | None:
        """Find the component that reads files whose names end as this one's; None if none does.

        Of several endings that fit, the longest decides.

        Raises:
            PluginError: two components read such files.
        """
        readers = {
            (len(suffix), registered.component.name): registered
            for registered in self.components(kind)
            for suffix in registered.component.suffixes
            if registered.component.argument and path.lower().endswith(suffix)
        }
        longest = max((length for length, _ in readers), default=0)
        found = [registered for (length, _), registered in readers.items() if length == longest]
        if len(found) > 1:
            names = " and ".join(f"'{registered.component.name}'" for registered in found)
            raise PluginError(
                f"{names} both read files such as '{path}'", hint="name one of them: NAME:PATH"
            )
        return found[0] if found else None

    def build(
        self, kind: Kind, component: ComponentConfig, *, origin: Origin, path: KeyPath
    ) -> tuple[Any, RegisteredComponent]:
        """Make a component from the name and the settings in the run file.

        Returns the component (Any: its type depends on the kind) and what it was made of.

        Raises:
            UnknownNameError, PluginError: see `find`.
            ConfigError: a setting is wrong, or an environment variable is not set.
        """
        name, argument = split_reference(component.use)
        registered = self.find(kind, name, where=origin.where(*path))
        settings = component.settings
        if argument is not None:
            key = registered.component.argument
            if key is None:
                raise ConfigError(
                    f"{_SINGULAR[kind]} '{name}' takes no argument after the colon",
                    where=origin.where(*path),
                    hint=f"`llmeval {kind} {name}` shows its settings"
                    if kind != "executors"
                    else "docs/run-file.md tells how an executor is set",
                )
            settings = {key: argument, **settings}
        else:
            _require_argument(kind, registered, settings, origin.where(*path))
        return self.make(kind, registered, settings, origin=origin, path=path), registered

    def make(
        self,
        kind: Kind,
        registered: RegisteredComponent,
        settings: Mapping[str, Any],
        *,
        origin: Origin,
        path: KeyPath,
    ) -> Any:
        """Check a component's settings and call its factory; Any: the component, see `build`."""
        where = origin.where(*path)
        expanded = expand_env(
            dict(settings),
            environ=self._environ,
            redactor=self.redactor,
            origin=origin,
            path=path,
        )
        try:
            with contained():
                config: Settings = validate(
                    registered.component.config, expanded, origin=origin, prefix=path
                )
                return checked_component(kind, registered.component.factory(config))
        except LlmevalError as err:
            err.what = self.redactor(err.what)
            err.where = err.where or where
            raise
        except BaseException as err:  # plugin boundary: a factory is foreign code
            if must_propagate(err):
                raise
            reason = self.redactor(describe_error(err))
            raise PluginError(
                f"'{registered.component.name}' cannot be made: {reason}",
                where=f"{where} ({registered.distribution})",
                hint="this is a bug in the plugin; tell its author",
            ) from err


def _require_argument(
    kind: Kind, registered: RegisteredComponent, settings: Mapping[str, Any], where: str
) -> None:
    """Refuse a name alone where something must stand behind its colon; Any: a user's settings.

    Raises:
        ConfigError: the component has an argument, which must be given and is not.
    """
    component = registered.component
    key = component.argument
    if key is None or key in settings or not component.config.model_fields[key].is_required():
        return
    raise ConfigError(
        f"{_SINGULAR[kind]} '{component.name}' needs its {key}",
        where=where,
        hint=f"write {component.name}:{key.upper()}, or add '{key}'",
    )
