"""`llmeval tasks`: the ready-made tasks on offer; `--search` finds some of a large source."""

from __future__ import annotations

import click

from llmeval_core.cli.options import complete_components


@click.command()
@click.argument("name", required=False, shell_complete=complete_components("tasks"))
@click.option("--search", metavar="TEXT", help="Find tasks of NAME that have all words of TEXT.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    default=40,
    show_default=True,
    help="Most tasks that --search shows; 0 for all.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON; with NAME, its settings' JSON Schema."
)
@click.pass_context
def command(
    ctx: click.Context, /, name: str | None, *, search: str | None, limit: int, as_json: bool
) -> None:
    """List tasks with prompts and scores of their own; with NAME, its settings and an example.

    \b
    Examples:
      llmeval tasks
      llmeval tasks lm_eval
      llmeval tasks lm_eval --search "mmlu law"
    """
    if search is None:
        from llmeval_core.cli.listing_action import show_components  # noqa: PLC0415  late: see `options`

        show_components(ctx, "tasks", name=name, as_json=as_json)
        return
    if name is None:
        raise click.UsageError("--search needs the NAME of whose tasks are searched")
    from llmeval_core.cli.task_search_action import show_found_tasks  # noqa: PLC0415  late, too

    show_found_tasks(ctx, name=name, text=search, limit=limit, as_json=as_json)
