"""Text for the terminal: nothing in it is markup, control characters are shown escaped."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import click

from llmeval_core.cli.error_output import print_error
from llmeval_core.cli.streams import Streams
from llmeval_core.cli.tables import Table
from llmeval_core.errors import LlmevalError
from llmeval_core.printable import shown, shown_json

_LABEL_WIDTH = 10
_USUAL_WIDTH = 80
_STYLES: dict[str, dict[str, Any]] = {  # Any: arguments of `click.style`
    "bold": {"bold": True},
    "dim": {"dim": True},
    "red": {"fg": "red"},
    "yellow": {"fg": "yellow"},
    "green": {"fg": "green"},
}
_COLOURS = ("red", "yellow", "green")


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


def echo_failure(err: LlmevalError) -> None:
    """Print what ended a part of the work, as an error that ends a command is printed."""
    found = streams()
    if found is not None:
        print_error(err, found)
    else:
        echo_error(f"error: {err}")


def echo_block(title: str, parts: list[tuple[str, str]]) -> None:
    """Print a title and labelled texts below it; the lines of a text stand under each other."""
    lines = [paint(f"── {shown(title)}", "bold")]
    for label, text in parts:
        first, *others = shown(text).split("\n")
        lines.append(paint(f"{label} ".ljust(_LABEL_WIDTH), "dim") + first)
        lines += [" " * _LABEL_WIDTH + line for line in others]
    _echo_lines([*lines, ""])


def echo_titled(title: str, text: str) -> None:
    """Print a line that begins with a title in bold."""
    _echo_lines([paint(shown(title), "bold") + shown(text)])


def echo_table(table: Table, *, groups_rows: bool = False) -> None:
    """Print a table as wide as the terminal, with the texts of others escaped.

    Args:
        table: what to print.
        groups_rows: whether rows with the same first cell may stand below it, if the table is too
            wide otherwise.
    """
    width = terminal_width()
    rows: list[Sequence[str]] = [tuple(map(shown, row)) for row in table.rows]
    safe = Table(table.columns, rows, table.styles, is_boxed=table.is_boxed)
    if groups_rows and safe.width() > width:
        _echo_lines(safe.grouped_lines(width, paint=paint))
    else:
        _echo_lines(safe.lines(width, paint=paint, is_ascii=is_ascii()))


def echo_lines(lines: list[str]) -> None:
    """Print many lines at once; what is not printable in them was escaped before."""
    _echo_lines(lines)


def is_output_closed() -> bool:
    """Say whether further output is lost: who streams a million lines can stop."""
    found = streams()
    return found is not None and found.write_error is not None


def terminal_width() -> int:
    """Return how many cells a line has: by COLUMNS, else of the terminal, else 80."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isascii() and wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    for fd in (1, 2, 0):  # of a terminal, though the output may go to a pipe
        try:
            columns = os.get_terminal_size(fd).columns
        except OSError:
            continue
        if columns > 0:
            return columns
    return _USUAL_WIDTH


def is_ascii() -> bool:
    """Whether boxes are drawn with ASCII characters, because the encoding is no Unicode."""
    return not (out().encoding or "utf-8").lower().startswith("utf")


def _echo_lines(lines: list[str]) -> None:
    if lines:
        click.echo("\n".join(lines), file=out(), color=True)  # `paint` has decided


def paint(text: str, style: str) -> str:
    """Style a text, where somebody looks at it and NO_COLOR does not forbid it."""
    if os.environ.get("NO_COLOR") and style in _COLOURS:
        return text
    if not (out().isatty() and os.environ.get("TERM") not in ("dumb", "unknown")):
        return text
    return click.style(text, **_STYLES[style])
