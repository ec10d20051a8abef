"""`llmeval judge list`: the judges that were checked."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from llmeval_core.api import project_folder, shown
from llmeval_core.hooks import Json
from llmeval_judges.calibration import stored


@click.command("list", short_help="List the judges that were checked, and whether that holds.")
@click.option("--home", type=click.Path(path_type=Path), help="The project's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(home: Path | None, *, as_json: bool) -> None:
    """List the judges that were checked, and whether that still holds.

    A check is void when the rubric, the prompt around it or the form of verdicts has changed since.
    """
    rows: list[Json] = []
    for path, one in stored(project_folder(home)):
        if one is None:
            rows.append({"file": str(path), "problem": "the file is no calibration"})
        else:
            problem = one.problem()
            rows.append({"file": str(path), **one.model_dump(mode="json"), "problem": problem})
            if not as_json:
                day = time.strftime("%Y-%m-%d", time.gmtime(one.checked_at))
                click.echo(shown(f"{one.model}  {one.rubric}-{one.version}  {day}"))
                click.echo(f"  {one.in_words()}")
                click.echo(f"  void: {shown(problem)}" if problem else "  holds")
            continue
        if not as_json:
            click.echo(shown(f"{path}: no calibration"))
    if as_json:
        click.echo(json.dumps(rows))
    elif not rows:
        click.echo("no judge was checked here; `llmeval judge check` does")
