"""`llmeval datasets`: the data sets on offer; `show` prints prompts, `fetch` downloads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import click
from click.shell_completion import CompletionItem

from llmeval_core.catalog import Catalog
from llmeval_core.cli.listing import make_listing
from llmeval_core.cli.prompt_preview import Preview, preview_prompts
from llmeval_core.cli.sample_view import asked, expected
from llmeval_core.cli.screen import echo_block
from llmeval_core.cli.session import complete, open_session
from llmeval_core.config import ComponentConfig, Origin
from llmeval_core.contracts import Dataset
from llmeval_core.errors import ConfigError, DatasetError, foreign_errors
from llmeval_core.library.printable import shown
from llmeval_core.library.sample_json import asked_json, expected_json

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
@click.argument("name", metavar="NAME[:ARGUMENT]", shell_complete=_names)
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
    default=0,
    show_default=True,
    help="How many examples in each prompt.",
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
    ctx: click.Context, /, name: str, limit: int, shots: int, model: str | None, *, as_json: bool
) -> None:
    """Print prompts as they would be sent, and the expected answers; asks no model.

    \b
    Examples:
      llmeval datasets show commonsense_qa --limit 1 --shots 4
      llmeval datasets show jsonl:my.jsonl -m openai/gpt-4o-mini
    """
    catalog = open_session(ctx).catalog
    dataset = _build(catalog, name)
    if isinstance(dataset, Noted):
        with foreign_errors(DatasetError, f"data set '{name}' cannot be read"):
            notes = list(dataset.notes())
        for note in notes:
            click.echo(shown(note), err=as_json)
        if notes and not as_json:
            click.echo()
    previews = preview_prompts(dataset, catalog, use=name, model=model, n_shots=shots, limit=limit)
    for index, preview in enumerate(previews):
        if as_json:
            click.echo(json.dumps(_preview_json(preview), ensure_ascii=False))
        else:
            _echo_preview(index, preview)


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
        fetched[name] = str(dataset.fetch())
        if not as_json:
            click.echo(f"{name}: {fetched[name]}")
    if as_json:
        click.echo(json.dumps(fetched, ensure_ascii=False, indent=2))


_NAME = show.params[0]


def _build(catalog: Catalog, name: str) -> Dataset:
    origin = Origin(flags={(): f"data set {name}"})
    dataset: Dataset = catalog.build(
        "datasets", ComponentConfig(use=name), origin=origin, path=("dataset",)
    )[0]
    return dataset


def _echo_preview(index: int, preview: Preview) -> None:
    sample = preview.sample
    title = " · ".join(part for part in (str(index), sample.id, sample.category) if part)
    if preview.request is not None:
        parts = asked(preview.request)
    else:
        parts = [("input", sample.input), ("problem", str(preview.problem))]
    echo_block(title, [*parts, *expected(sample)])


def _preview_json(preview: Preview) -> dict[str, object]:
    request = preview.request
    return {
        **expected_json(preview.sample),
        "asked": asked_json(request) if request is not None else None,
        "problem": preview.problem,
    }
