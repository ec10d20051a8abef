"""The arguments that `run` and `plan` share: a run file, flags, or both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from llmeval_core.cli.options import complete_components

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("run_file", required=False, type=click.Path(dir_okay=False, path_type=Path)),
    click.option(
        "-m",
        "--model",
        "models",
        multiple=True,
        metavar="PROVIDER/MODEL",
        help="A model; may be repeated.",
        shell_complete=complete_components("models", suffix="/"),
    ),
    click.option(
        "-d",
        "--dataset",
        "datasets",
        multiple=True,
        metavar="NAME[:ARGUMENT]",
        help="A data set, or a file such as my.jsonl; may be repeated.",
        shell_complete=complete_components("datasets"),
    ),
    click.option(
        "-t",
        "--task",
        "ready_tasks",
        multiple=True,
        metavar="NAME[:ARGUMENT]",
        help="A ready-made task; may be repeated.",
        shell_complete=complete_components("tasks"),
    ),
    click.option(
        "--role",
        "roles",
        multiple=True,
        metavar="ROLE=PROVIDER/MODEL",
        help="A model beside the evaluated ones, such as judge=openai/gpt-4o; may be repeated.",
    ),
    click.option(
        "--base-url",
        metavar="URL",
        help="Address of the models' server, up to and with /v1.",
    ),
    click.option(
        "--model-setting",
        "model_settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting of every model, the value as in the run file; may be repeated.",
    ),
    click.option(
        "--shots",
        multiple=True,
        metavar="N,N",
        help="Numbers of examples, such as 0,4; may be repeated.",
    ),
    click.option(
        "--metric",
        "metrics",
        multiple=True,
        metavar="NAME",
        help="A metric; may be repeated.",
        shell_complete=complete_components("metrics"),
    ),
    click.option(
        "--tracker",
        "trackers",
        multiple=True,
        metavar="NAME[:ARGUMENT]",
        help="A tracker; may be repeated.",
        shell_complete=complete_components("trackers"),
    ),
    click.option(
        "--executor",
        metavar="NAME[:ARGUMENT]",
        help="Where requests are answered.",
        shell_complete=complete_components("executors"),
    ),
    click.option(
        "--limit",
        type=click.IntRange(min=1),
        metavar="N",
        help="First N samples of each task.",
    ),
    click.option(
        "--replace",
        is_flag=True,
        default=None,
        help="Let the results take the place of more complete ones.",
    ),
    click.option("--seed", type=int, metavar="N", help="Decides every random choice of ours."),
    click.option(
        "--concurrency",
        type=click.IntRange(min=1),
        metavar="N",
        help="Most requests under way at once.",
    ),
    click.option(
        "--max-samples-failed",
        type=click.FloatRange(min=0),
        metavar="N",
        help="Failed samples that a task may have; below 1 a part of its samples.",
    ),
    click.option(
        "--fail-fast",
        is_flag=True,
        default=None,
        help="End the run with the first failed sample.",
    ),
    click.option(
        "--max-cost",
        type=click.FloatRange(min=0, min_open=True),
        metavar="X",
        help="Stop when this much is spent, by the run file's prices.",
    ),
    click.option(
        "--max-total-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        help="Stop when this many tokens are read and written in this run.",
    ),
    click.option(
        "--max-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        help="Most tokens of each generation.",
    ),
)


def run_options(command: CommandT) -> CommandT:
    """Add the run file argument and its flags to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
