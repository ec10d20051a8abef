"""`llmeval run`: evaluate models on data sets."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import home_option
from llmeval_core.cli.run_options import run_options


@click.command()
@run_options
@home_option
@click.option(
    "--again",
    "again_filters",
    multiple=True,
    metavar="FILTER",
    help="Ask again what the journal has: an outcome such as empty or truncated, id:SAMPLE,"
    " task:KEY or all; may be repeated. The old answer stays until there is a new one.",
)
@click.option(
    "--anew", is_flag=True, help="With --again: also what an earlier --again asked already."
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress, only the table.")
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON.")
@click.pass_context
def command(ctx: click.Context, /, **arguments: Any) -> int:  # Any: each of its own type
    """Evaluate models on data sets.

    Finished samples are kept in the journal: the same command again goes on where it stopped,
    other metrics score again without asking the model, failed samples are tried again. Flags
    win over the run file.

    \b
    Examples:
      llmeval run eval.yaml
      llmeval run eval.yaml -m openai/gpt-4o-mini --limit 5
      llmeval run eval.yaml --again empty --again id:q17
      llmeval run -m openai_compatible/my-model --base-url http://localhost:8080/v1 -d my.jsonl
      llmeval run -m llamacpp/smollm2-135m-instruct -d commonsense_qa --limit 50
      llmeval run -m openai/gpt-4o-mini -d jsonl:my.jsonl --shots 0,4 \\
          --metric exact_match --tracker mlflow --tracker jsonl --concurrency 64
    """
    from llmeval_core.cli.run_action import evaluate  # noqa: PLC0415  late: see `options`

    return evaluate(ctx, **arguments)
