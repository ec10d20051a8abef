"""The messages between the tracker and its worker process: JSON, one object each."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from llmeval_core.hooks import Json, TaskResult
from llmeval_wandb_tracker.settings import WandbSettings


class _WorkerMessage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InitMessage(_WorkerMessage):
    """The first message: how W&B is used from now on.

    Args:
        settings: the tracker's.
        folder: for W&B's files, and for the state of each run.
    """

    settings: WandbSettings
    folder: Path


class DeliverMessage(_WorkerMessage):
    """Every later message: one result for its model's run.

    Args:
        result: the result.
        columns: of the table of samples; empty for no table.
        rows: the samples, in their order.
    """

    result: TaskResult
    columns: list[str]
    rows: list[list[Json]]


class WorkerReply(_WorkerMessage):
    """The answer to a message.

    Args:
        url: the run's page; None if it has none.
        note: what the user should know of a result that was taken; None if nothing.
        error: why it failed; None if all went well.
        hint: what to try.
    """

    url: str | None = None
    note: str | None = None
    error: str | None = None
    hint: str | None = None
