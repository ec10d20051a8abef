"""What `llmeval plan` does: count the requests of a run."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from llmeval_core.api import (
    Estimate,
    Plan,
    TaskPreview,
    existing_journal,
    fit_to_open_files,
    has_journal,
    home_problem,
    preflight_of_plan,
    preview,
    preview_tasks,
)
from llmeval_core.cli.console import echo, echo_error, echo_json, echo_table
from llmeval_core.cli.planning_flags import read_plan
from llmeval_core.cli.prompt_view import echo_task_preview, preview_json, warning_lines
from llmeval_core.cli.tables import Column, Table
from llmeval_core.paths import file_in_the_way

_log = logging.getLogger("llmeval")


def show_plan(
    ctx: click.Context,
    *,
    run_file: Path | None,
    home: Path,
    n_prompts: int | None,
    as_json: bool,
    **flags: Any,  # Any: each of its own type
) -> None:
    """Print what a run would send."""
    plan = read_plan(ctx, run_file, flags, lambda: preflight_of_plan(home))
    notes = _notes(plan, home)
    for note in () if as_json else notes:
        _log.warning(note)
    if file_in_the_way(home) is None and has_journal(home):
        with existing_journal(home) as journal:
            previews = preview(plan, journal)
    else:
        previews = preview(plan, None)
    if as_json:
        counted = [asdict(item) for item in previews]
        described: dict[str, Any] = {**plan.describe(), "preview": counted, "notes": notes}
        if n_prompts is not None:
            described["prompts"] = [
                {"model": task.model.name, "task": task.task.key, **preview_json(prompt)}
                for task in preview_tasks(plan, n_prompts)
                for prompt in task.prompts
            ]
        echo_json(described)
        return
    for task in preview_tasks(plan, n_prompts) if n_prompts is not None else ():
        echo_task_preview(task)
    _print(previews, plan)


def _notes(plan: Plan, home: Path) -> list[str]:
    """Collect what the run would say, or fail for, before its first request."""
    _, about_files = fit_to_open_files(plan)
    notes = [*plan.notes, *([about_files] if about_files else [])]
    if problem := home_problem(home):
        hint = f" (try: {problem.hint})" if problem.hint else ""
        notes.append(f"a run could not be kept: {problem.what}{hint}")
    return notes


def _print(previews: list[TaskPreview], plan: Plan) -> None:
    headings = ["samples", "in the\njournal", "requests\nto send", "unusable", "tokens"]
    has_cost = any(one.cost is not None for item in previews for one in _estimates(item))
    numbers = [*headings, *(["cost"] if has_cost else []), "time"]
    names = [Column("model"), Column("task")]
    table = Table([*names, *(Column(name, "right") for name in numbers)], is_boxed=True)
    for item in previews:
        counts = (item.n_samples, item.n_answered, item.n_requests, item.n_unusable)
        row = [f"{count:,}" for count in counts]
        row.append(f"{_n_tokens(item.estimate):,}")
        if has_cost:
            row.append("" if item.estimate.cost is None else f"{item.estimate.cost:.4g}")
        table.add(item.model, item.task, *row, _duration(item.estimate.duration_s))
        for role in item.roles:
            asked = ["", "", f"{role.n_requests:,}", "", f"{_n_tokens(role.estimate):,}"]
            if has_cost:
                asked.append("" if role.estimate.cost is None else f"{role.estimate.cost:.4g}")
            table.add(item.model, f"  {role.role}: {role.model}", *asked, "")
    echo_table(table, groups_rows=True)
    for line in _lines(previews, plan):
        echo(line)
    for line in warning_lines(previews):
        echo_error(line)


def _lines(previews: list[TaskPreview], plan: Plan) -> list[str]:
    to_send = [item for item in previews if _n_requests(item)]
    n_requests = sum(map(_n_requests, to_send))
    about = "" if all(item.is_exact for item in to_send) else "about "
    lines = [f"{about}{n_requests:,} requests to send, plan {plan.fingerprint}"]
    if to_send:
        estimates = [one for item in previews for one in _estimates(item)]
        n_read = sum(one.n_prompt_tokens for one in estimates)
        n_written = sum(one.n_completion_tokens for one in estimates)
        line = f"estimated: {n_read:,} tokens to read, {n_written:,} to write"
        costs = [one.cost for one in estimates if one.cost is not None]
        if costs:
            line += f", cost {sum(costs):.4g}"
        total_s = _total_s(to_send, plan)
        if total_s is not None:
            line += f", {_duration(total_s)} in all"
        lines.append(line)
        asked = [item.estimate for item in to_send if item.n_requests]
        asked += [role.estimate for item in to_send for role in item.roles if role.n_requests]
        bases = dict.fromkeys(one.basis for one in asked)
        lines.append(f"by {', by '.join(bases)}")
    return lines


def _n_requests(item: TaskPreview) -> int:
    """Count what is to be asked for a task, of whomever."""
    return item.n_requests + sum(role.n_requests for role in item.roles)


def _estimates(item: TaskPreview) -> list[Estimate]:
    return [item.estimate, *(role.estimate for role in item.roles)]


def _n_tokens(estimate: Estimate) -> int:
    return estimate.n_prompt_tokens + estimate.n_completion_tokens


def _total_s(to_send: list[TaskPreview], plan: Plan) -> float | None:
    """Add up the times of models that share a server; servers are asked side by side.

    Returns:
        Seconds; None if the time of a task, or of a role in it, is unknown.
    """
    endpoints = {item.model.name: item.model.info.endpoint for item in plan.evaluations}
    by_endpoint: dict[str | None, float] = {}
    for item in to_send:
        asks_others = any(role.n_requests for role in item.roles)
        if item.estimate.duration_s is None or asks_others:
            return None
        endpoint = endpoints[item.model]
        by_endpoint[endpoint] = by_endpoint.get(endpoint, 0.0) + item.estimate.duration_s
    return max(by_endpoint.values(), default=0.0)


def _duration(seconds: float | None) -> str:
    """Write a time in its largest units; nothing if it is unknown."""
    if seconds is None:
        return ""
    if 0 < seconds < 0.5:
        return "< 1 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
