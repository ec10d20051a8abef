"""What `llmeval run` does: plan, evaluate, and report."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from llmeval_core.api import (
    Journal,
    Plan,
    Progress,
    ReaskFilter,
    RunOutcome,
    SilentProgress,
    in_run_order,
    make_leaderboard,
    outcome_json,
    plan_reasoning_warnings,
    preflight_of_run,
    read_reask_filters,
    run_counts_text,
    run_plan,
    run_until_complete,
    shown,
    superseded_notes,
    waiting_text,
)
from llmeval_core.api.progress_bars import LiveProgress, PlainProgress
from llmeval_core.cli.console import (
    echo,
    echo_error,
    echo_failure,
    echo_json,
    echo_lines,
    is_ascii,
    paint,
    terminal_width,
)
from llmeval_core.cli.leaderboard_printing import leaderboard_lines
from llmeval_core.cli.live_console import error_console
from llmeval_core.cli.logs import logs_to
from llmeval_core.cli.planning_flags import read_plan
from llmeval_core.errors import LlmevalError

_log = logging.getLogger("llmeval")

_MOST_ALIKE = 3
"""Errors that are printed of those with the same place and remedy."""


def evaluate(
    ctx: click.Context,
    *,
    run_file: Path | None,
    home: Path,
    again_filters: tuple[str, ...],
    anew: bool,
    quiet: bool,
    as_json: bool,
    **flags: Any,  # Any: each of its own type
) -> int:
    """Run what the run file and the flags say, and return the exit code."""
    again = read_reask_filters(again_filters, anew=anew)
    plan = read_plan(ctx, run_file, flags, lambda: preflight_of_run(home))
    for note in plan.notes:
        _log.warning(note)
    console = error_console()
    with Journal(home) as journal, contextlib.ExitStack() as stack:
        progress: Progress = SilentProgress()
        if not (quiet or as_json):
            progress = (
                stack.enter_context(LiveProgress(console))
                if console.is_terminal
                else PlainProgress(console)
            )
            stack.enter_context(logs_to(progress.message))
        for warning in plan_reasoning_warnings(plan, journal):
            progress.message(shown(warning))
        outcome = run_until_complete(_run(plan, journal, progress, console, again))
        with journal.reader() as reader:
            notes = superseded_notes(reader, outcome.summary.results)
    if as_json:
        body = outcome_json(outcome)
        body["notes"] += notes
        echo_json(body)
    else:
        _report(outcome, plan, home, notes)
    return exit_code(outcome)


async def _run(
    plan: Plan, journal: Journal, progress: Progress, console: Console, again: ReaskFilter | None
) -> RunOutcome:
    """Run the plan; the first Ctrl-C stops it cleanly, the second at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if stop.is_set():
            loop.remove_signal_handler(signal.SIGINT)
            console.show_cursor()  # the live line hides it
            echo_error("stopped at once; everything committed is kept")
            os._exit(130)
        echo_error("\nstopping: requests under way may finish; Ctrl-C again stops at once")
        stop.set()

    with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt
        loop.add_signal_handler(signal.SIGINT, interrupt)
    return await run_plan(plan, journal, progress=progress, stop=stop, reask=again)


def exit_code(outcome: RunOutcome) -> int:
    """Say how it went: 130 interrupted, 2 change something, 1 failures, 0 all well."""
    if outcome.summary.interrupted:
        return 130
    if outcome.errors:
        return 2
    return int(bool(outcome.summary.n_failed or outcome.summary.n_undelivered))


def _report(outcome: RunOutcome, plan: Plan, home: Path, notes: list[str]) -> None:
    summary = outcome.summary
    if summary.results:
        planned = [(item.model.name, task.key) for item in plan.evaluations for task in item.tasks]
        board = in_run_order(make_leaderboard(summary.results), lambda _: planned)
        echo_lines(leaderboard_lines(board, terminal_width(), paint=paint, is_ascii=is_ascii()))
    lines = list(notes)
    if summary.results or not outcome.errors:
        lines.append(run_counts_text(summary, cost=summary.cost))
    for report in outcome.deliveries:
        if report.location and not report.n_undelivered:
            lines.append(f"{report.tracker}: {report.location}")
        elif report.n_undelivered:
            lines.append(
                f"{report.tracker}: {waiting_text(report.n_undelivered)} in the journal"
                f" ({report.reason}); `llmeval sync` delivers them"
            )
    if summary.n_failed:
        lines.append("`llmeval samples KEY --failed` shows why; run again to try them again")
    if summary.interrupted:
        lines.append(f"interrupted: finished samples are kept in {home}; run again to go on")
    for line in lines:
        echo(line)
    echo_failures(outcome.errors)


def echo_failures(errors: Sequence[LlmevalError]) -> None:
    """Print the errors; of many with the same place and remedy, as of a group's tasks, a few."""
    met = Counter((error.where, error.hint) for error in errors)
    n_printed: Counter[tuple[str | None, str | None]] = Counter()
    for error in errors:
        kind = (error.where, error.hint)
        n_printed[kind] += 1
        if n_printed[kind] <= _MOST_ALIKE or error.hint is None or met[kind] == _MOST_ALIKE + 1:
            echo_failure(error)
        elif n_printed[kind] == _MOST_ALIKE + 1:
            n_left = met[kind] - _MOST_ALIKE
            echo_error(f"and {n_left} more errors like the one above, with the same remedy")
