"""`llmeval plugin new`: a plugin project that works from its first minute."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from llmeval_core.cli.plugin.project import KINDS, checked_name, with_article, write_project


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name", required=False)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the project goes; `llmeval-NAME` if left out.",
)
@click.pass_context
def command(ctx: click.Context, /, kind: str, *, name: str | None, folder: Path | None) -> None:
    """Make a plugin project of one KIND, with tests that pass.

    NAME is what users will write, `my_KIND` if left out; the distribution is called llmeval-NAME.
    What the component does is an example, to be replaced by yours.

    \b
    Examples:
      llmeval plugin new metric shouting
      llmeval plugin new dataset capitals --folder work/capitals
    """
    # Late, because they import rich and more.
    from llmeval_core.cli.console import echo  # noqa: PLC0415
    from llmeval_core.cli.plugin.taken_names import refuse_taken  # noqa: PLC0415

    name = checked_name(name or f"my_{kind}", kind)
    refuse_taken(ctx, kind, name)
    distribution = f"llmeval-{name.replace('_', '-')}"
    place = folder or Path(distribution)
    module = write_project(kind, name, place)
    echo(f"{place}: {with_article(kind)} '{name}', in {module}")
    echo("\nNext:")
    for step in (
        f"pip install -e {shlex.quote(f'{place}[test]')}",
        f"pytest {shlex.quote(str(place))}",
        f"llmeval plugin check {name}",
    ):
        echo(f"  {step}")
