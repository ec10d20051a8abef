"""What a plugin's hooks give, checked once, so that nobody later meets what is no offer."""

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

MOST_OFFERS = 10_000
"""Offers of one hook at most: a generator that never ends must not keep us."""

_CLASSES: dict[str, type] = {"commands": click.Command, "routes": Route, "checks": Check}


def checked_offers(kind: str, hook: str, given: object) -> tuple[Any, ...]:
    """Pass on what a registering hook gave, if all of it can be used; Any: see `hooks`.

    Entries are copied: their attributes are read here, and never again.

    Raises:
        PluginError: something is not what the hook is to give.
    """
    if given is None:
        return ()
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise PluginError(f"hook '{hook}' gave a {_class(given)}; it gives one offer after another")
    offers = tuple(itertools.islice(given, MOST_OFFERS + 1))
    if len(offers) > MOST_OFFERS:
        raise PluginError(f"hook '{hook}' gave more than {MOST_OFFERS:,} offers")
    wanted = Component if kind in COMPONENT_KINDS else _CLASSES.get(kind, object)
    for offer in offers:
        if not isinstance(offer, wanted):
            raise PluginError(f"hook '{hook}' gave a {_class(offer)}, not a {wanted.__name__}")
    checked = tuple(_checked(hook, offer) for offer in offers)
    names = [_name(offer) for offer in checked]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PluginError(f"hook '{hook}' offers '{twice}' twice")
    return checked


def _checked(hook: str, offer: object) -> object:
    if isinstance(offer, Component):
        return _checked_entry(hook, offer)
    if isinstance(offer, Check):
        _refuse(hook, offer, "name", offer.name, is_text)
        _refuse(hook, offer, "run", offer.run, callable)
    elif isinstance(offer, Route):
        for key in ("prefix", "summary"):
            _refuse(hook, offer, key, getattr(offer, key), is_text)
        _refuse(hook, offer, "app", offer.app, callable)
    elif isinstance(offer, click.Command):
        _refuse(hook, offer, "name", offer.name, is_text)
    return offer


def _checked_entry(hook: str, entry: Component[Any, Any]) -> Component[Any, Any]:
    """Copy an entry (Any: of any settings and component) with its attributes checked."""
    name, config, argument = entry.name, entry.config, entry.argument
    copy = Component(name, config, entry.factory, entry.summary, argument, entry.example)
    _refuse(hook, copy, "name", name, _is_name)
    _refuse(hook, copy, "config", config, _is_settings)
    _refuse(hook, copy, "factory", copy.factory, callable)
    for key in ("summary", "example"):
        _refuse(hook, copy, key, getattr(copy, key), is_text)
    fields = config.model_fields
    _refuse(hook, copy, "argument", argument, lambda value: value is None or value in fields)
    return copy


def is_text(value: object) -> bool:
    """Say whether it is a text."""
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME_PATTERN.fullmatch(value) is not None


def _is_settings(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Settings)


def _refuse(
    hook: str, offer: object, key: str, value: object, is_right: Callable[[Any], object]
) -> None:
    if not is_right(value):
        name = getattr(offer, "name", None) or getattr(offer, "prefix", "?")
        kind = _class(offer)
        raise PluginError(
            f"hook '{hook}' gave a {kind} '{name}' whose {key} cannot be {reprlib.repr(value)}"
        )


def _name(offer: object) -> object:
    return getattr(offer, "name", None) or getattr(offer, "prefix", id(offer))


def _class(value: object) -> str:
    return type(value).__name__
