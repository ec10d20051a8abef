"""What tracker and visitor say to each other: one line of JSON each, over the visitor's pipes."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from llmeval_core.hooks import Json, TaskResult
from llmeval_wandb_tracker.settings import WandbSettings


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Greeting(_Line):
    """The first line: how W&B is used from now on.

    Args:
        settings: the tracker's.
        folder: for W&B's files, and for what is remembered of each run.
    """

    settings: WandbSettings
    folder: Path


class Errand(_Line):
    """Every line after it: one result for its model's run.

    Args:
        result: the result.
        columns: of the table of samples; empty for no table.
        rows: the samples, in their order.
    """

    result: TaskResult
    columns: list[str]
    rows: list[list[Json]]


class Answer(_Line):
    """What came of a line.

    Args:
        url: the run's page; None if it has none.
        error: why it failed; None if all went well.
        hint: what to try.
        note: what the user should know of a result that was taken; None if nothing.
    """

    url: str | None = None
    note: str | None = None
    error: str | None = None
    hint: str | None = None
