"""Text for the terminal: nothing in it is markup, control characters are shown escaped."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

import click
from rich.console import Console
from rich.table import Table

from llmeval_core.cli.streams import Streams
from llmeval_core.printable import shown, shown_json

_LABEL_WIDTH = 10
_WIDEST = 10_000


def streams(ctx: click.Context | None = None) -> Streams | None:
    """Find the streams of the command line; None if a command was called without it."""
    ctx = ctx or click.get_current_context(silent=True)
    return ctx.find_object(Streams) if ctx is not None else None


def out() -> TextIO:
    """Return the stream for what a command is asked for."""
    found = streams()
    return found.out if found is not None else sys.stdout


def err() -> TextIO:
    """Return the stream for everything else."""
    found = streams()
    return found.err if found is not None else sys.stderr


def echo(text: str = "") -> None:
    """Print text of ours or of others, which cannot steer the terminal."""
    click.echo(shown(text), file=out())


def echo_document(text: str) -> None:
    """Print what a program reads, as it is: CSV, Markdown, a script."""
    click.echo(text, file=out())


def echo_json(value: Any, *, indent: int | None = 2) -> None:
    """Print JSON (Any), with control characters escaped as JSON can: it may be a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    click.echo(shown_json(text), file=out())


def echo_error(text: str) -> None:
    """Print a line that is not the command's output."""
    click.echo(shown(text), file=err())


def is_output_closed() -> bool:
    """Say whether further output is lost: who streams a million lines can stop."""
    found = streams()
    return found is not None and found.write_error is not None


def output_console() -> Console:
    """Make a console for standard output that takes text as it is."""
    return _console(out())


def error_console() -> Console:
    """Make a console for standard error that takes text as it is."""
    return _console(err())


def add_row(table: Table, *cells: str, style: str | None = None) -> None:
    """Add a row of text of others, which cannot steer the terminal."""
    table.add_row(*(shown(cell) for cell in cells), style=style)


def echo_block(title: str, parts: list[tuple[str, str]]) -> None:
    """Print a title and labelled texts below it; the lines of a text stand under each other."""
    stream = out()
    click.secho(f"── {shown(title)}", bold=True, file=stream)
    for label, text in parts:
        first, *others = shown(text).split("\n")
        click.echo(click.style(label.ljust(_LABEL_WIDTH), dim=True) + first, file=stream)
        for line in others:
            click.echo(" " * _LABEL_WIDTH + line, file=stream)
    click.echo(file=stream)


def print_table(table: Table) -> None:
    """Print a table; where the terminal is too narrow for it, whole and broken into lines."""
    console = output_console()
    needed = console.measure(table, options=console.options.update(width=_WIDEST)).minimum
    console.width = max(console.width, needed)
    console.print(table)


def _console(file: TextIO) -> Console:
    """Make a console; a size that the environment has wrong is not looked at."""
    sizes = {"COLUMNS", "LINES"}
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in sizes or (value.isascii() and value.isdigit() and int(value) > 0)
    }
    return Console(file=file, markup=False, emoji=False, highlight=False, _environ=environ)
