"""Prompts on the terminal: as they would be sent, and what looks wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llmeval_core.api import (
    PreviewedTask,
    PromptPreview,
    TaskPreview,
    asked_json,
    expected_json,
    shown,
)
from llmeval_core.cli.console import echo, echo_block, echo_titled
from llmeval_core.cli.sample_view import asked, expected


def echo_task_preview(previewed: PreviewedTask, notes: Iterable[str] = ()) -> None:
    """Print the first requests of a task, under its name, how it is asked, and how it is read."""
    task = previewed.task
    echo_titled(f"{previewed.model.name}  {task.key}", "")
    asked_by = task.settings.get("generation")
    sent = _listed(asked_by if isinstance(asked_by, dict) else {})
    echo(f"{task.mode}, {task.answer_by}: {sent}")
    for note in notes:
        echo(note)
    for index, preview in enumerate(previewed.prompts):
        echo_preview(index, preview)


def _listed(settings: Mapping[str, Any]) -> str:
    """Write generation settings that are sent; Any: JSON."""
    listed = [f"{name} {value!r}" for name, value in settings.items() if value not in (None, [])]
    return ", ".join(listed) or "nothing set"


def echo_preview(index: int, preview: PromptPreview) -> None:
    """Print what one sample is asked and what is expected, or why it cannot be asked."""
    sample = preview.sample
    title = " · ".join(part for part in (str(index), sample.id, sample.category) if part)
    if preview.request is not None:
        parts = asked(preview.request)
        if preview.own_settings is not None:
            parts.append(("with", _listed(preview.own_settings)))
    else:
        parts = [("input", sample.input_text), ("problem", str(preview.problem))]
    echo_block(title, [*parts, *expected(sample)])


def preview_json(preview: PromptPreview) -> dict[str, Any]:
    """Return the same as JSON; Any: JSON."""
    request = preview.request
    return {
        **expected_json(preview.sample),
        "asked": asked_json(request) if request is not None else None,
        "problem": preview.problem,
    }


def warning_lines(previews: Iterable[TaskPreview]) -> list[str]:
    """Write what looks wrong, a line for each doubt about a task, whatever the model."""
    lines = (f"warning: {item.task}: {doubt}" for item in previews for doubt in item.warnings)
    return [shown(line) for line in dict.fromkeys(lines)]
