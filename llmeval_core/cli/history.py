"""`llmeval history`: what a key was, when, and from what."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import home_option, key_argument, models_option


@click.command()
@key_argument
@models_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@home_option
def command(**arguments: Any) -> None:  # Any: each of its own type
    """Show what a metric key (or each metric of a task key) was, when, and from what.

    The last column says what is not as it was the time before: prompt, settings, data set,
    definition. `stands` marks the number in the leaderboard; what `gave way` covered less of the
    data set than what stood then.

    \b
    Examples:
      llmeval history aio_0shot_exact_match
      llmeval history aio_0shot -m openai/gpt-4o-mini --json
    """
    from llmeval_core.cli.history_action import show_history  # noqa: PLC0415  late: see `options`

    show_history(**arguments)
