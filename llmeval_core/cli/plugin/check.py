"""`llmeval plugin check`: does an installed plugin keep the promises of its kind?"""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    metavar="PROVIDER/MODEL",
    help="Ask this model for real: twice for each way in which it can be asked.",
)
@click.option("--download", is_flag=True, help="Try data sets that are downloaded first, too.")
@click.option("--varies", is_flag=True, help="Metrics may score the same answer differently.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of plugins as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    name: str | None,
    *,
    models: tuple[str, ...],
    download: bool,
    varies: bool,
    as_json: bool,
) -> int:
    """Check that an installed plugin keeps the promises of what it offers.

    NAME is that of the plugin, as `llmeval plugins` shows it, or of its distribution; all plugins
    if left out. Nothing is delivered to a tracker, no model is asked without -m, and nothing is
    downloaded without --download. Exit code 1 if something is wrong.

    \b
    Examples:
      llmeval plugin check shouting
      llmeval plugin check my_server -m my_server/small
    """
    # Late, because it imports what --help does not need.
    from llmeval_core.cli.plugin.check_action import check_plugins  # noqa: PLC0415
    from llmeval_core.testing import Trial  # noqa: PLC0415

    trial = Trial(models=models, downloads=download, varies=varies)
    return check_plugins(ctx, name, trial=trial, as_json=as_json)
