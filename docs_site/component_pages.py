"""The catalogue: every data set, metric, model, tracker and executor that is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmeval_core.api import (
    KINDS,
    Kind,
    RegisteredComponent,
    Session,
    attributions,
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
        yield from _section(session, kind, offer)


def _section(session: Session, kind: Kind, offer: RegisteredComponent) -> Iterator[str]:
    schema = settings_schema(offer)
    yield f"## `{offer.component.name}` {{ #{offer.component.name} }}\n"
    yield f"{offer.component.summary}; from {_distribution(offer)}.\n"
    yield from _attributions(session, kind, offer.component.name)
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


def _attributions(session: Session, kind: Kind, name: str) -> Iterator[str]:
    """Say under which licence data or weights are, and whom to cite, where that is declared."""
    told = attributions(session.catalog, kind, name)
    if kind == "models" and told:
        yield "| model | licence of the weights | cite |\n|---|---|---|"
        for model, one in told.items():
            yield f"| `{name}/{model}` | {_cell(one.licence)} | {_cell(one.citation)} |"
        yield ""
        return
    for one in told.values():
        yield f"Licence: {one.licence}." + f" Cite: {one.citation}." * bool(one.citation) + "\n"


def _distribution(offer: RegisteredComponent) -> str:
    name = offer.distribution.partition(" ")[0]
    return f"[{name}](../../distributions/{name}.md)"


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`" if text else ""


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")
