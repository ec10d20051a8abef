"""What a plugin's registering hooks yield, checked once where it comes in."""

from __future__ import annotations

import itertools
import reprlib
from collections.abc import Callable, Iterable
from typing import Any

import click

from llmeval_core.config import Settings
from llmeval_core.contracts import Check, Route
from llmeval_core.errors import PluginError
from llmeval_core.hooks import Component
from llmeval_core.host.plugins import COMPONENT_KINDS
from llmeval_core.naming import NAME_PATTERN

MOST_REGISTERED = 10_000
"""Registrations of one hook at most: a generator that never ends must not keep us."""

_CLASSES: dict[str, type] = {"commands": click.Command, "routes": Route, "checks": Check}


def checked_registrations(kind: str, hook: str, given: object) -> tuple[Any, ...]:
    """Pass on what a registering hook gave, if all of it can be used; Any: see `hooks`.

    Components are copied: their attributes are read here, and never again.

    Raises:
        PluginError: something is not what the hook is to give.
    """
    if given is None:
        return ()
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise PluginError(
            f"hook '{hook}' gave a {_class(given)}; it yields one thing after another"
        )
    listed = tuple(itertools.islice(given, MOST_REGISTERED + 1))
    if len(listed) > MOST_REGISTERED:
        raise PluginError(f"hook '{hook}' gave more than {MOST_REGISTERED:,} things")
    wanted = Component if kind in COMPONENT_KINDS else _CLASSES.get(kind, object)
    for one in listed:
        if not isinstance(one, wanted):
            raise PluginError(f"hook '{hook}' gave a {_class(one)}, not a {wanted.__name__}")
    checked = tuple(_checked(hook, one) for one in listed)
    names = [_name(one) for one in checked]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PluginError(f"hook '{hook}' registers '{twice}' twice")
    return checked


def _checked(hook: str, registered: object) -> object:
    if isinstance(registered, Component):
        return _checked_component(hook, registered)
    if isinstance(registered, Check):
        _refuse(hook, registered, "name", registered.name, is_text)
        _refuse(hook, registered, "run", registered.run, callable)
    elif isinstance(registered, Route):
        for key in ("prefix", "summary"):
            _refuse(hook, registered, key, getattr(registered, key), is_text)
        _refuse(hook, registered, "app", registered.app, callable)
    elif isinstance(registered, click.Command):
        _refuse(hook, registered, "name", registered.name, is_text)
    return registered


def _checked_component(hook: str, component: Component[Any, Any]) -> Component[Any, Any]:
    """Copy a component (Any: of any settings and class) with its attributes checked."""
    name, config, argument = component.name, component.config, component.argument
    copy = Component(
        name,
        config,
        component.factory,
        component.summary,
        argument,
        component.example,
        component.suffixes,
    )
    _refuse(hook, copy, "name", name, _is_name)
    _refuse(hook, copy, "config", config, _is_settings)
    _refuse(hook, copy, "factory", copy.factory, callable)
    for key in ("summary", "example"):
        _refuse(hook, copy, key, getattr(copy, key), is_text)
    _refuse(hook, copy, "suffixes", copy.suffixes, _are_texts)
    fields = config.model_fields
    _refuse(hook, copy, "argument", argument, lambda value: value is None or value in fields)
    return copy


def is_text(value: object) -> bool:
    """Say whether it is a text."""
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME_PATTERN.fullmatch(value) is not None


def _is_settings(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Settings)


def _refuse(
    hook: str, registered: object, key: str, value: object, is_right: Callable[[Any], object]
) -> None:
    if not is_right(value):
        name = getattr(registered, "name", None) or getattr(registered, "prefix", "?")
        kind = _class(registered)
        raise PluginError(
            f"hook '{hook}' gave a {kind} '{name}' whose {key} cannot be {reprlib.repr(value)}"
        )


def _name(registered: object) -> object:
    return getattr(registered, "name", None) or getattr(registered, "prefix", id(registered))


def _class(value: object) -> str:
    return type(value).__name__
