"""A command: how much space llmeval's folder takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from llmeval_core.hooks import hookimpl


@click.command("footprint")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".llmeval"),
    show_default=True,
    envvar="LLMEVAL_HOME",
    help="The folder.",
)
def footprint(home: Path) -> None:
    """Say how much space llmeval's folder takes."""
    n_bytes = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    click.echo(f"{home}: {n_bytes / 1e6:.1f} MB")


@hookimpl
def llmeval_register_commands() -> Iterable[click.Command]:
    """Offer the command."""
    yield footprint
