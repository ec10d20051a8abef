"""Settings in a file of their own, such as a judge's rubric, read as carefully as a run file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from llmeval_core.config.origin import KeyPath, Origin
from llmeval_core.config.problems import config_error
from llmeval_core.config.yaml_reading import parse_yaml, read_bounded_text
from llmeval_core.errors import ConfigError

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_settings_file(path: Path, model: type[ModelT], *, what: str, hint: str) -> ModelT:
    """Read a YAML file that a user wrote; errors name its lines, and a key that comes twice.

    Args:
        path: the file, in UTF-8.
        model: what it must be.
        what: what it is called in errors, such as `rubric`.
        hint: where one sees how such a file looks.

    Raises:
        ConfigError: it cannot be read, is not YAML, or is not what it must be.
    """
    try:
        text = read_bounded_text(path, what=what)
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"the {what} cannot be read: {err}", where=str(path)) from err
    data, lines = parse_yaml(text, path, what=what)
    if not isinstance(data, dict) or not data:
        raise ConfigError(f"a {what} is a YAML mapping", where=str(path), hint=hint)
    return validate(model, data, origin=Origin(file=path, lines=lines))


def validate(model: type[ModelT], data: Any, *, origin: Origin, prefix: KeyPath = ()) -> ModelT:
    """Check settings against a pydantic model; Any: what YAML or a plugin's user wrote.

    Raises:
        ConfigError: the first problem, where it stands, and how many follow.
    """
    try:
        return model.model_validate(data)
    except ValidationError as err:
        raise config_error(err, model, origin=origin, prefix=prefix) from err
