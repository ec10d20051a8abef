"""What every group of settings is built on, and a plugin's component by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from llmeval_core.config.key_names import ComponentName
from llmeval_core.paths import expand_path
from llmeval_core.pydantic_startup import ready_pydantic

ready_pydantic()


class Settings(BaseModel):
    """Settings that refuse unknown keys and cannot be changed; plugins build theirs on it.

    In what is typed as a `Path`, or a tuple of them, `~` and `$NAME` are expanded.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True
    )

    @field_validator("*", mode="after")
    @classmethod
    def _expanded(cls, value: Any) -> Any:  # Any: a field of any type
        if isinstance(value, Path):
            return expand_path(value)
        if isinstance(value, tuple) and any(isinstance(item, Path) for item in value):
            return tuple(expand_path(item) if isinstance(item, Path) else item for item in value)
        return value


class ComponentConfig(BaseModel):
    """A plugin's component by name, with its own settings beside the name.

    `exact_match`, `jsonl:my.jsonl` and `{use: jsonl, path: my.jsonl}` are all accepted.
    """

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    use: str = Field(
        description="The component's name, or `name:argument`.",
        min_length=1,
    )
    name: ComponentName | None = Field(
        examples=["mine"],
        default=None,
        description="What to call it in keys and messages; its own name if left out.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:  # Any: pydantic hands over what the file has
        return {"use": value} if isinstance(value, str) else value

    @property
    def settings(self) -> dict[str, Any]:
        """The plugin's own settings, as written, `${NAME}` not yet replaced."""
        return dict(self.__pydantic_extra__ or {})


class TrackerConfig(ComponentConfig):
    """A tracker by name, with its own settings beside the name."""

    required: bool = Field(
        default=True, description="Whether an undelivered result makes the exit code 1."
    )
