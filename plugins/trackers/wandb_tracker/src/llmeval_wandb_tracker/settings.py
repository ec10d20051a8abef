"""The settings of the Weights & Biases tracker."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from llmeval_core.hooks import Settings


class WandbSettings(Settings):
    """Where results go in Weights & Biases, and what of them."""

    project: str = Field(
        default="model_evaluation", min_length=1, description="The project with the runs."
    )
    entity: str | None = Field(
        default=None, description="User or team; left out: what W&B takes as default."
    )
    mode: Literal["online", "offline"] = Field(
        default="online", description="`offline` writes files that `wandb sync` brings later."
    )
    directory: Path | None = Field(
        default=None, description="For W&B's files; left out: in the project's folder."
    )
    max_table_rows: int = Field(
        default=1000, ge=0, description="Samples in a task's table; 0 for no table."
    )
    timeout_s: float = Field(
        default=60.0, gt=0, description="Longest time for one delivery in all, seconds."
    )
