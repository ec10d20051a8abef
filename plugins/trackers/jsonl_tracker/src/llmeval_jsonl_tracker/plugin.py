"""What this distribution offers: the tracker `jsonl`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field

from llmeval_core.hooks import Component, Settings, Tracker, hookimpl

_EXAMPLE = """\
trackers:
  - use: jsonl
    path: results.jsonl   # left out: results.jsonl in the project's folder
"""


class JsonlSettings(Settings):
    """Where the lines go."""

    path: Path | None = Field(
        default=None,
        description="The file, relative to the working directory; `results.jsonl` in the "
        "project's folder if left out.",
    )


def _make_tracker(settings: JsonlSettings) -> Tracker:
    from llmeval_jsonl_tracker.tracker import JsonlTracker  # noqa: PLC0415  only when used

    return JsonlTracker(settings.path)


@hookimpl
def llmeval_register_trackers() -> Iterable[Component[Any, Tracker]]:
    """Offer `jsonl`."""
    yield Component(
        "jsonl",
        JsonlSettings,
        _make_tracker,
        "one line of JSON per task result, appended to a file",
        argument="path",
        example=_EXAMPLE,
    )
