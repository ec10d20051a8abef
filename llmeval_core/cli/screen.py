"""Text for the terminal: nothing in it is markup, control characters are shown escaped."""

from __future__ import annotations

import click
from rich.console import Console

from llmeval_core.library.printable import shown

_LABEL_WIDTH = 10


def make_console() -> Console:
    """Make a console for standard output that takes text as it is."""
    return Console(markup=False, emoji=False, highlight=False)


def echo_block(title: str, parts: list[tuple[str, str]]) -> None:
    """Print a title and labelled texts below it; the lines of a text stand under each other."""
    click.secho(f"── {shown(title)}", bold=True)
    for label, text in parts:
        first, *others = shown(text).split("\n")
        click.echo(click.style(label.ljust(_LABEL_WIDTH), dim=True) + first)
        for line in others:
            click.echo(" " * _LABEL_WIDTH + line)
    click.echo()
