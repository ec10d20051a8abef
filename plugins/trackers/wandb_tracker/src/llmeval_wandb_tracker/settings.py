"""The settings of the Weights & Biases tracker."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from llmeval_core.hooks import Settings


class WandbSettings(Settings):
    """Where results go in Weights & Biases, and what of them."""

    project: str = Field(
        default="model_evaluation",
        min_length=1,
        description="The project with the runs; left out: WANDB_PROJECT, or else model_evaluation.",
    )
    entity: str | None = Field(
        default=None,
        description="User or team; left out: WANDB_ENTITY, or else what W&B takes as default.",
    )
    mode: Literal["online", "offline", "disabled"] = Field(
        default="online",
        description="`offline` writes files that `wandb sync` brings later, `disabled` does "
        "nothing; left out: WANDB_MODE, or else online.",
    )
    directory: Path | None = Field(
        default=None,
        description="For W&B's files; left out: WANDB_DIR, or else in the project's folder.",
    )
    max_table_rows: int = Field(
        default=1000, ge=0, description="Samples in a task's table; 0 for no table."
    )
    timeout_s: float = Field(
        default=60.0, gt=0, description="Longest time for one delivery in all, seconds."
    )
