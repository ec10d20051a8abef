"""Evaluate models from Python: what `llmeval run` does, as a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Unpack

from llmeval.argument_check import (
    checked_home,
    checked_path,
    checked_progress,
    checked_texts,
)
from llmeval.background_run import BackgroundRun, StopSwitch
from llmeval.displays import display
from llmeval.run_keywords import Components, Models, RunKeywords, Tasks, as_run_file
from llmeval.run_report import RunError, RunReport, report_of
from llmeval_core.api import (
    Journal,
    Progress,
    ReaskFilter,
    make_config,
    make_plan,
    make_session,
    plan_reasoning_warnings,
    preflight_of_run,
    read_reask_filters,
    run_plan,
    shown,
    superseded_notes,
)

_STOPPING = "stopping: requests under way may finish; stop again to end at once"


class _Work(Protocol):
    """A run that only waits for who shows it and who stops it."""

    def __call__(self, *, switch: StopSwitch, progress: Progress) -> RunReport:
        """Plan and run; blocking."""


def run(
    run_file: str | os.PathLike[str] | None = None,
    *,
    models: Models | None = None,
    tasks: Tasks | None = None,
    metrics: Components | None = None,
    trackers: Components | None = None,
    again: str | Sequence[str] = (),
    home: str | os.PathLike[str] | None = None,
    progress: bool | Progress = True,
    **settings: Unpack[RunKeywords],
) -> RunReport:
    """Evaluate models on tasks, and wait for the end.

    Finished samples are kept in the project's folder: the same call again asks the models nothing
    that is known, and goes on where it was stopped. It may be called inside a running event loop,
    as in a notebook; that loop waits meanwhile (`run_async` lets it go on).

    Args:
        run_file: a run file; the other arguments take the place of its keys.
        models: such as `openai/gpt-4o-mini`; a mapping has the provider's settings too.
        tasks: data sets, such as `commonsense_qa` or `jsonl:faq.jsonl`; a mapping has `dataset`,
            `shots`, `metrics`, `prompt` and the other keys of a task.
        metrics: of tasks that name none.
        trackers: where results go, such as `mlflow`.
        again: which answers are asked for once more: an outcome such as `empty`, `id:SAMPLE`,
            `task:KEY` or `all`.
        home: the project's folder; `LLMEVAL_HOME`, or `.llmeval`, if None.
        progress: whether progress is shown, in a notebook or on standard error; or who is told,
            from another thread: an object with the methods of `llmeval.Progress`.
        settings: the other keys of a run file: `limit`, `generation`, `concurrency`, ...

    Raises:
        RunError: a task or a model could not be evaluated; it has the report of the others.
        LlmevalError: an argument is wrong, a plugin is missing, the journal cannot be written.
        KeyboardInterrupt: it was interrupted; once, requests under way may finish, twice, not.
    """
    progress = checked_progress(progress)
    keys = as_run_file(
        models=models,
        tasks=tasks,
        metrics=metrics,
        trackers=trackers,
        has_run_file=run_file is not None,
        others=settings,
    )
    work = _work(run_file, keys, again, home)
    with _began(work, progress) as (background, look):
        report = background.wait(look)
    return _checked(report)


async def run_async(
    run_file: str | os.PathLike[str] | None = None,
    *,
    models: Models | None = None,
    tasks: Tasks | None = None,
    metrics: Components | None = None,
    trackers: Components | None = None,
    again: str | Sequence[str] = (),
    home: str | os.PathLike[str] | None = None,
    progress: bool | Progress = True,
    **settings: Unpack[RunKeywords],
) -> RunReport:
    """Evaluate models on tasks while the caller's event loop goes on; otherwise as `run`.

    Who cancels it stops the run cleanly: requests under way may finish.

    Raises:
        RunError, LlmevalError: as `run`.
    """
    progress = checked_progress(progress)
    keys = as_run_file(
        models=models,
        tasks=tasks,
        metrics=metrics,
        trackers=trackers,
        has_run_file=run_file is not None,
        others=settings,
    )
    work = _work(run_file, keys, again, home)
    with _began(work, progress) as (background, look):
        report = await background.wait_async(look)
    return _checked(report)


def _work(
    run_file: str | os.PathLike[str] | None,
    keys: dict[str, Any],
    again: str | Sequence[str],
    home: str | os.PathLike[str] | None,
) -> _Work:
    """Bind what `run` was given; Any: keys of a run file, checked in the run's own thread."""
    filters = checked_texts(again, "again")
    return partial(
        _evaluate,
        Path(checked_path(run_file, "run_file")) if run_file is not None else None,
        keys,
        again=read_reask_filters(filters, anew=False),
        home=checked_home(home),
    )


def _evaluate(
    run_file: Path | None,
    keys: dict[str, Any],
    *,
    again: ReaskFilter | None,
    home: Path,
    switch: StopSwitch,
    progress: Progress,
) -> RunReport:
    """Plan and run; blocking."""
    config, origin = make_config(run_file, keys)
    session = make_session()
    plan = make_plan(
        config,
        session.catalog,
        origin=origin,
        observer=session.host,
        preflight=preflight_of_run(home),
    )
    with Journal(home) as journal:
        notes = [*plan.notes, *plan_reasoning_warnings(plan, journal)]
        for note in notes:
            progress.message(shown(note))
        outcome = switch.run(
            lambda stop: run_plan(plan, journal, progress=progress, stop=stop, reask=again)
        )
        with journal.reader() as reader:
            notes += superseded_notes(reader, outcome.summary.results)
    return report_of(outcome, notes)


@contextmanager
def _began(
    work: _Work, wanted: bool | Progress
) -> Iterator[tuple[BackgroundRun[RunReport], Callable[[], None]]]:
    """Begin a run, and show its progress until the block ends."""
    with display(wanted) as (progress, look):
        background = BackgroundRun(
            lambda switch: work(switch=switch, progress=progress),
            on_stop=lambda: progress.message(_STOPPING),
        )
        yield background, look


def _checked(report: RunReport) -> RunReport:
    if report.errors:
        raise RunError(report)
    return report
