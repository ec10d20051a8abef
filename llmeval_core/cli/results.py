"""`llmeval results`: the leaderboard from the journal."""

from __future__ import annotations

from pathlib import Path

import click

from llmeval_core.api import existing_journal, make_leaderboard
from llmeval_core.api.leaderboard import to_csv, to_json, to_markdown
from llmeval_core.api.leaderboard_notes import leaderboard_notes
from llmeval_core.printable import shown
from llmeval_core.cli.console import echo, echo_document, output_console
from llmeval_core.cli.journal_names import complete_from_results, models_option
from llmeval_core.cli.leaderboard import print_leaderboard
from llmeval_core.cli.session import home_option

_WRITERS = {"md": to_markdown, "csv": to_csv, "json": to_json}


@click.command()
@models_option
@click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME",
    help="Only this data set; may be repeated.",
    shell_complete=complete_from_results(lambda result: [result.dataset]),
)
@click.option("--categories", is_flag=True, help="Show the numbers of categories too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", *_WRITERS]),
    default="table",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@home_option
def command(
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    form: str,
    home: Path,
    *,
    categories: bool,
    as_json: bool,
) -> None:
    """Show the leaderboard: models x metric keys, the value that stands of each.

    That is the newest of the most complete results: a run with --limit does not take the place of
    a full one. `llmeval history KEY` shows all.

    \b
    Examples:
      llmeval results
      llmeval results -d commonsense_qa --format md > leaderboard.md
    """
    with existing_journal(home) as journal, journal.reader() as reader:
        board = make_leaderboard(
            reader.results(), models=models, datasets=datasets, categories=categories
        )
    form = "json" if as_json else form
    if form != "table":
        echo_document(_WRITERS[form](board))
    elif board.cells:
        console = output_console()
        print_leaderboard(board, console)
        for note in leaderboard_notes(board):
            console.print(shown(note), markup=False, highlight=False, soft_wrap=True)
    else:
        echo("no results yet" if not (models or datasets) else "no result fits")
