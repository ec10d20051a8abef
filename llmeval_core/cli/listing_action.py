"""What `llmeval datasets`, `models`, `metrics` and `trackers` print."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from llmeval_core.api import (
    Attribution,
    Kind,
    RegisteredComponent,
    Session,
    Setting,
    attributions,
    component_example,
    component_name,
    settings_in_words,
    settings_schema,
    unknown_model_note,
)
from llmeval_core.cli.console import echo, echo_error, echo_json, echo_table, echo_titled
from llmeval_core.cli.plugin_session import open_session
from llmeval_core.cli.tables import Column, Table


def show_components(ctx: click.Context, kind: Kind, *, name: str | None, as_json: bool) -> None:
    """Print the components of one kind, or describe one."""
    session = open_session(ctx)
    if name is None:
        _list(session, kind, as_json=as_json)
    else:
        found = attributions(session.catalog, kind, name)
        offer = session.catalog.find(kind, component_name(kind, name))
        _describe(offer, kind, found, as_json=as_json)
        note = unknown_model_note(session.catalog, name) if kind == "models" else None
        if note is not None:
            echo_error(note)


def _list(session: Session, kind: Kind, *, as_json: bool) -> None:
    offers = session.catalog.components(kind)
    if as_json:
        echo_json([_summary(offer) for offer in offers])
        return
    if offers:
        table = Table(
            [Column("name"), Column("summary", wraps=True), Column("distribution", wraps=True)]
        )
        for offer in offers:
            table.add(offer.component.name, offer.component.summary, offer.distribution)
        echo_table(table)
    else:
        echo(f"no plugin offers {kind}; install one, such as llmeval-{kind}")
    for plugin in session.host.broken:
        echo_error(f"plugin '{plugin.name}' is broken and missing here; `llmeval plugins` says why")


def _describe(
    offer: RegisteredComponent, kind: Kind, found: dict[str, Attribution], *, as_json: bool
) -> None:
    schema = settings_schema(offer)
    example = component_example(kind, offer, schema)
    if as_json:
        described = {
            **_summary(offer),
            "argument": offer.component.argument,
            "example": example,
            "settings": schema,
            "attributions": {name: asdict(attribution) for name, attribution in found.items()},
        }
        echo_json(described)
        return
    echo_titled(offer.component.name, f": {offer.component.summary} ({offer.distribution})")
    _echo_attributions(found, kind)
    echo()
    settings = settings_in_words(schema)
    if settings:
        echo_table(_settings_table(settings, offer.component.argument))
    else:
        echo("It takes no settings.")
    echo("\nIn the run file:\n")
    for line in example.split("\n"):
        echo(f"  {line}")


def _echo_attributions(found: dict[str, Attribution], kind: Kind) -> None:
    """Print the licence of a data set, or those of known models."""
    if kind == "models" and found:
        table = Table([Column("model"), Column("licence", wraps=True), Column("cite", wraps=True)])
        for name, attribution in found.items():
            table.add(name, attribution.licence, attribution.citation)
        echo()
        echo_table(table)
        return
    for attribution in found.values():
        echo(f"licence: {attribution.licence}")
        if attribution.citation:
            echo(f"cite: {attribution.citation}")


def _settings_table(settings: list[Setting], argument: str | None) -> Table:
    texts = (Column(heading, wraps=True) for heading in ("type", "default", "description"))
    table = Table([Column("setting"), *texts])
    for setting in settings:
        default = "must be given" if setting.default is None else setting.default
        description = setting.description
        if setting.name == argument:
            description = f"{description} Also after a colon: NAME:{argument.upper()}".strip()
        table.add(setting.name, setting.type, default, description)
    return table


def _summary(offer: RegisteredComponent) -> dict[str, Any]:
    """Return what a list says of an offer; Any: JSON."""
    return {
        "name": offer.component.name,
        "summary": offer.component.summary,
        "distribution": offer.distribution,
    }
