"""What the run file may say of lm-eval's tasks, in lm-eval's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from llmeval_core.hooks import Settings


class LmEvalSettings(Settings):
    """Tasks of lm-eval, or your own in its YAML."""

    tasks: str = Field(
        description="Names of tasks, groups or tags, globs, or YAML files; commas between.",
        examples=["gsm8k,mmlu"],
        json_schema_extra={"format": "names-or-code"},  # YAML may name Python beside it
    )
    include_path: tuple[Path, ...] = Field(
        default=(),
        description="Folders with YAML of your own; their names go before lm-eval's.",
        json_schema_extra={"format": "code"},
    )
    include_defaults: bool = Field(
        default=True, description="Whether the tasks that come with lm-eval are there."
    )
    system_instruction: str | None = Field(
        default=None, description="A system message, or the beginning of each prompt."
    )
    apply_chat_template: bool = Field(
        default=False,
        description="Ask what is generated as a conversation; for models that know only chat.",
    )
    fewshot_as_multiturn: bool = Field(
        default=True, description="In a conversation, examples are turns of their own."
    )
    think_end_token: str | None = Field(
        default=None, description="What ends the thinking in a text, such as </think>."
    )
    fewshot_seed: int = Field(default=1234, description="What draws the examples.")
    bootstrap_iters: int = Field(
        default=100_000, ge=0, description="Resamples for standard errors; 0 for none."
    )
    metadata: dict[str, Any] = Field(  # Any: for the task's own code
        default={}, description="For tasks that take some, such as ruler's max_seq_lengths."
    )
