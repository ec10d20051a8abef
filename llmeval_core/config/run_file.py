"""Reading a run file: YAML to RunConfig, with errors that name file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from llmeval_core.config.origin import KeyPath, Origin
from llmeval_core.config.problems import config_error
from llmeval_core.config.schema import RunConfig
from llmeval_core.errors import ConfigError

ModelT = TypeVar("ModelT", bound=BaseModel)
_DEEPEST = 50
_MOST_VALUES = 100_000


def load_run_file(path: Path) -> tuple[RunConfig, Origin]:
    """Read and check a run file; the Origin tells later errors where things stand in it.

    Raises:
        ConfigError: it cannot be read, is not YAML, or does not have the right shape.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"there is no run file '{path}'",
            hint="name a file that exists, or give -m and -d instead",
        ) from None
    except (OSError, UnicodeDecodeError) as err:
        is_closed = isinstance(err, OSError)
        hint = "name a file that can be read" if is_closed else "a run file is YAML, in UTF-8"
        raise ConfigError(f"cannot read the run file: {err}", where=str(path), hint=hint) from err
    return read_run_text(text, path)


def read_run_text(text: str, path: Path) -> tuple[RunConfig, Origin]:
    """Check the text of a run file, YAML or JSON, that errors are to call `path`.

    Raises:
        ConfigError: it is not YAML, or does not have the right shape.
    """
    data, lines = _parse_yaml(text, path)
    origin = Origin(file=path, lines=lines)
    return validate(RunConfig, data, origin=origin), origin


def validate(model: type[ModelT], data: Any, *, origin: Origin, prefix: KeyPath = ()) -> ModelT:
    """Check settings against a pydantic model; Any: what YAML or a plugin's user wrote.

    Raises:
        ConfigError: the first problem, where it stands, and how many follow.
    """
    try:
        return model.model_validate(data)
    except ValidationError as err:
        raise config_error(err, model, origin=origin, prefix=prefix) from err


def _parse_yaml(text: str, path: Path) -> tuple[Any, dict[KeyPath, int]]:
    lines: dict[KeyPath, int] = {}
    try:
        loader = yaml.SafeLoader(text)
        try:
            data: Any = {}
            if (node := loader.get_single_node()) is not None:
                _count_values(node, path, {}, 0)
                _collect_lines(node, (), lines, path)
                data = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as err:
        line = f":{err.problem_mark.line + 1}" if err.problem_mark else ""
        raise ConfigError(
            f"the run file is not YAML: {err.problem}", where=f"{path}{line}"
        ) from err
    except yaml.YAMLError as err:
        raise ConfigError(f"the run file is not YAML: {err}", where=str(path)) from err
    except RecursionError:
        raise ConfigError("the run file is nested too deeply", where=str(path)) from None
    except ValueError as err:  # such as 2025-13-32, or a number of 5,000 digits
        raise ConfigError(f"the run file has a wrong value: {err}", where=str(path)) from err
    if not isinstance(data, dict):
        raise ConfigError(
            "a run file is a mapping with 'models' and 'tasks'",
            where=str(path),
            hint="see docs/run-file.md for an example",
        )
    return data, lines


def _count_values(node: yaml.Node, path: Path, known: dict[int, int], depth: int) -> int:
    """Count the values below a node as if aliases were written out: few lines can be billions.

    Args:
        node: where to begin.
        path: the run file.
        known: counts of nodes by their id; 0 while one is being counted.
        depth: nodes above this one.
    """
    where = f"{path}:{node.start_mark.line + 1}"
    if known.get(id(node)) == 0:
        raise ConfigError("a value of the run file contains itself", where=where)
    if depth > _DEEPEST:
        raise ConfigError("the run file is nested too deeply", where=where)
    if id(node) not in known:
        known[id(node)] = 0
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        n_values = 1 + sum(_count_values(part, path, known, depth + 1) for part in inner)
        if n_values > _MOST_VALUES:
            raise ConfigError(f"the run file has more than {_MOST_VALUES:,} values", where=where)
        known[id(node)] = n_values
    return known[id(node)]


def _collect_lines(node: yaml.Node, place: KeyPath, lines: dict[KeyPath, int], path: Path) -> None:
    """Note the line of every key and list item; YAML itself takes the last of two equal keys."""
    if len(place) > _DEEPEST:
        where = f"{path}:{node.start_mark.line + 1}"
        raise ConfigError("the run file is nested too deeply", where=where)
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # refused when the values are made
            line = key.start_mark.line + 1
            inner = (*place, key.value)
            if inner in lines:
                raise ConfigError(
                    f"the key '{key.value}' comes twice",
                    where=f"{path}:{line}",
                    hint=f"it stands on line {lines[inner]} already",
                )
            lines[inner] = line
            _collect_lines(value, inner, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*place, index), lines, path)
