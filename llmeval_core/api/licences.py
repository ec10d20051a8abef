"""Licences and citations, as data sets and model providers tell them."""

from __future__ import annotations

from llmeval_core.catalog import Catalog, Kind
from llmeval_core.config import ComponentConfig, Origin
from llmeval_core.contracts import AttributedDataset, Attribution, KnownModels
from llmeval_core.errors import LlmevalError, PluginError, wrap_plugin_errors
from llmeval_core.naming import did_you_mean


def attributions(catalog: Catalog, kind: Kind, text: str) -> dict[str, Attribution]:
    """Tell licences and citations of a data set, or of the models that a provider knows.

    Args:
        catalog: has the component.
        kind: `datasets` or `models`; others tell nothing.
        text: `name`, `name:ARGUMENT`, or `provider/model` for one model only.

    Returns:
        By the name of the data set or the model; empty if nothing is declared, or the component
        cannot be made without more settings.

    Raises:
        PluginError: the component fails to tell.
    """
    name, _, model = text.partition("/") if kind == "models" else (text, "", "")
    origin = Origin(flags={(): text})
    try:
        component, _ = catalog.build(kind, ComponentConfig(use=name), origin=origin, path=())
    except LlmevalError:  # it lacks a setting: there is nothing to tell yet
        return {}
    with wrap_plugin_errors(PluginError, f"'{name}' does not tell its licence"):
        if isinstance(component, AttributedDataset):
            return {name: component.attribution()}
        if isinstance(component, KnownModels):
            known = dict(component.known_models())
            return {one: known[one] for one in known if model in ("", one)}
    return {}


def unknown_model_note(catalog: Catalog, text: str) -> str | None:
    """Say that a provider knows some models by name, and not this one.

    None if it knows it, or knows none: then any name can be right.

    Args:
        catalog: has the provider.
        text: `provider/model`.

    Raises:
        PluginError: the provider fails to tell.
    """
    provider, _, model = text.partition("/")
    known = attributions(catalog, "models", provider)
    if not model or not known or model in known:
        return None
    meant = did_you_mean(model, known) or f"it knows {', '.join(known)}"
    return f"'{provider}' knows no model '{model}': {meant}"
