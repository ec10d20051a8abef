"""`llmeval judge rubrics`: the ready rubrics, or one as its file has it."""

from __future__ import annotations

import json

import click

from llmeval_core.hooks import ConfigError
from llmeval_judges.rubric import READY_RUBRICS, load_rubric, ready_names


@click.command("rubrics", short_help="List the ready rubrics, or show one.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, *, as_json: bool) -> None:
    """List the ready rubrics, or show the file of one, to be copied and changed.

    \b
    Example:
      llmeval judge rubrics correctness > ours.yaml
    """
    if name is None:
        rubrics = [load_rubric(one) for one in ready_names()]
        if as_json:
            click.echo(json.dumps([one.model_dump(mode="json") for one in rubrics]))
            return
        width = max(len(one.name) for one in rubrics)
        for one in rubrics:
            click.echo(f"{one.name:<{width}}  version {one.version}  {one.summary}")
        return
    if name not in ready_names():
        raise ConfigError(
            f"there is no ready rubric '{name}'", hint=f"there are {', '.join(ready_names())}"
        )
    if as_json:
        click.echo(json.dumps(load_rubric(name).model_dump(mode="json")))
    else:
        text = (READY_RUBRICS / f"{name}.yaml").read_text(encoding="utf-8")
        click.echo(text, nl=False)
