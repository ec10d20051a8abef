"""Errors on standard error: three lines, and a traceback where that is wanted."""

from __future__ import annotations

import click

from llmeval_core.cli.streams import Streams
from llmeval_core.errors import LlmevalError
from llmeval_core.printable import shown


def print_error(err: LlmevalError, streams: Streams) -> None:
    """Print an error; with `--debug`, behind the traceback of what led to it."""
    if streams.shows_tracebacks:
        import traceback  # noqa: PLC0415  late: `llmeval --help` must not wait for it

        click.echo(shown("".join(traceback.format_exception(err))), file=streams.err)
    click.echo(shown(f"error: {err}"), file=streams.err)
