"""`llmeval datasets`: the data sets on offer; `show` prints prompts, `fetch` downloads."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.default_list import DefaultListGroup
from llmeval_core.cli.listing import make_listing
from llmeval_core.cli.options import complete_components


@click.group(cls=DefaultListGroup, subcommand_metavar="[NAME] | show NAME | fetch NAME...")
def command() -> None:
    """List data sets; with NAME, its settings and an example.

    \b
    Examples:
      llmeval datasets
      llmeval datasets jsonl
      llmeval datasets list --json
      llmeval datasets show commonsense_qa --shots 2
    """


command.add_command(
    make_listing(
        "datasets",
        """List data sets; with NAME, its settings and an example.

        \b
        Examples:
          llmeval datasets list --json
          llmeval datasets jsonl
        """,
    ),
    "list",
)


@command.command()
@click.argument(
    "name", metavar="NAME[:ARGUMENT] | RUN_FILE", shell_complete=complete_components("datasets")
)
@click.argument("task", required=False)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    default=3,
    show_default=True,
    help="How many samples.",
)
@click.option(
    "--shots",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many examples in each prompt; what run file or data set say, else 0, if left out.",
)
@click.option(
    "-m",
    "--model",
    metavar="PROVIDER/MODEL",
    help="Ask as this model would be asked; a text to continue if left out.",
    shell_complete=complete_components("models", suffix="/"),
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each sample.")
@click.pass_context
def show(ctx: click.Context, /, **arguments: Any) -> None:  # Any: each of its own type
    """Print requests as they would be sent, and the expected answers; asks no model.

    Of a data set, or of a run file: of all its tasks, or of the one with this key or data set.
    What looks wrong with all of its samples is said at the end.

    \b
    Examples:
      llmeval datasets show commonsense_qa --limit 1 --shots 4
      llmeval datasets show jsonl:my.jsonl -m openai/gpt-4o-mini
      llmeval datasets show eval.yaml my_0shot --limit 5
    """
    from llmeval_core.cli.dataset_actions import show_prompts  # noqa: PLC0415  late: see `options`

    show_prompts(ctx, **arguments)


@command.command()
@click.argument(
    "names",
    nargs=-1,
    required=True,
    metavar="NAME...",
    shell_complete=complete_components("datasets"),
)
@click.option("--json", "as_json", is_flag=True, help="Print names and paths as JSON.")
@click.pass_context
def fetch(ctx: click.Context, /, **arguments: Any) -> None:  # Any: each of its own type
    """Download packaged data sets into the cache, and print where they are.

    \b
    Example:
      llmeval datasets fetch commonsense_qa nq_open
    """
    from llmeval_core.cli.dataset_actions import fetch_datasets  # noqa: PLC0415  late

    fetch_datasets(ctx, **arguments)
