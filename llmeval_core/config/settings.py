"""What every group of settings is built on, and a plugin's component by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from llmeval_core.config.key_names import ComponentName
from llmeval_core.config.problems import HintedValueError
from llmeval_core.paths import expand_path
from llmeval_core.pydantic_startup import ready_pydantic

ready_pydantic()

_YAML_WORDS = "YAML takes a bare yes, no, on and off for true and false: write a number"


class Settings(BaseModel):
    """Settings that refuse unknown keys and cannot be changed; plugins build theirs on it.

    In what is typed as a `Path`, or a tuple of them, `~` and `$NAME` are expanded.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:  # Any: as below
        if (found := _bool_in(value)) is not None and info.field_name is not None:
            types = set(_types_in(cls.model_fields[info.field_name].annotation))
            if types & {int, float} and not any(map(_takes_bools, types)):
                raise HintedValueError(f"{str(found).lower()} is no number", _YAML_WORDS)
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _expanded(cls, value: Any) -> Any:  # Any: a field of any type
        if isinstance(value, Path):
            return expand_path(value)
        if isinstance(value, tuple) and any(isinstance(item, Path) for item in value):
            return tuple(expand_path(item) if isinstance(item, Path) else item for item in value)
        return value


def _bool_in(value: Any) -> bool | None:  # Any: what a run file has
    """Find a truth value, also within lists and mappings; None if there is none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return next((found for item in value if (found := _bool_in(item)) is not None), None)
    if isinstance(value, dict):
        return _bool_in(list(value.values()))
    return None


def _types_in(annotation: Any) -> Iterator[Any]:  # Any: types have no common type
    """Name the types in an annotation: `tuple[int, ...] | None` has int, ... and None."""
    inner = get_args(annotation)
    if get_origin(annotation) is Literal:
        yield from map(type, inner)
    elif inner:
        for one in inner:
            yield from _types_in(one)
    else:
        yield annotation


def _takes_bools(annotation: Any) -> bool:  # Any: types have no common type
    """Whether a truth value may be in what has this type, which may be a model of its own."""
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    is_alias = hasattr(annotation, "__value__")  # such as pydantic's JsonValue
    return is_model or is_alias or annotation in (bool, object, Any)


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
