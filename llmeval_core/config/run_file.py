"""Reading a run file: YAML to RunConfig, with errors that name file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from llmeval_core.config.schema import RunConfig
from llmeval_core.errors import ConfigError
from llmeval_core.naming import did_you_mean

KeyPath = tuple[int | str, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)
_DEEPEST = 50
_MOST_VALUES = 100_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run's settings come from, to say so in errors.

    Args:
        file: the run file; None for command line flags.
        lines: line numbers by path of keys.
        flags: the flag as the user typed it, by path of keys.
    """

    file: Path | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    flags: Mapping[KeyPath, str] = field(default_factory=dict)

    def where(self, *path: int | str) -> str:
        """Name a place: `eval.yaml:7, tasks[0].metrics[0]`, or the flag `-m openai/x`."""
        known = [path[:end] for end in range(len(path), -1, -1)]
        for prefix in known:
            if prefix in self.flags:
                return self.flags[prefix]
        key = ""
        for part in path:
            key += f"[{part}]" if isinstance(part, int) else (f".{part}" if key else str(part))
        if self.file is None:
            return key or "the settings"
        line = next((f":{self.lines[prefix]}" for prefix in known if prefix in self.lines), "")
        return f"{self.file}{line}, {key}" if key else f"{self.file}{line}"


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
        raise ConfigError(f"cannot read the run file: {err}", where=str(path)) from err
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
        raise _config_error(err, model, origin, prefix) from err


def _config_error(
    err: ValidationError, model: type[BaseModel], origin: Origin, prefix: KeyPath
) -> ConfigError:
    listed = err.errors(include_url=False)
    # A list whose only item is wrong is called too short besides: that is no second problem.
    problems = [
        problem
        for problem in listed
        if problem["type"] != "too_short"
        or not any(
            other["loc"][: len(problem["loc"])] == problem["loc"] != other["loc"]
            for other in listed
        )
    ]
    # A misspelt key is at once unknown and missing: what the user typed explains both.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    bare = next((p for p in problems if _is_bare_word(p)), None)
    if bare is not None and first["type"] != "extra_forbidden":
        first, problems = bare, [bare]
    path = tuple(part for part in first["loc"] if not _names_a_type(part))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    hint = None
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, path[:-1])
        what = f"unknown key '{path[-1]}'{more}"
        all_known = f"known keys: {', '.join(sorted(known))}" if known else "it takes no settings"
        hint = did_you_mean(str(path[-1]), known) or all_known
    elif first["type"] == "missing":
        what = f"missing key '{path[-1]}'{more}"
        hint = f"add '{path[-1]}'"
    else:
        message = first["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list")
        what = f"wrong value: {message[:1].lower()}{message[1:]}{more}"
        if first is bare:
            what = f"wrong value: {str(first['input']).lower()} is no text"
            hint = "YAML takes a bare no, yes, off and on for false and true: write it in quotes"
    return ConfigError(what, where=origin.where(*prefix, *path), hint=hint)


def _is_bare_word(problem: ErrorDetails) -> bool:
    """Whether a text is wanted where YAML read `no`, `yes`, `off` or `on` as a truth value."""
    return problem["type"] == "string_type" and isinstance(problem["input"], bool)


def _names_a_type(part: int | str) -> bool:
    """Whether a part of a place is no key, but the type that pydantic tried there."""
    return isinstance(part, str) and part.startswith(("function-", "list[", "tuple["))


def _fields_at(model: type[BaseModel], path: KeyPath) -> set[str]:
    """Name the fields of the (possibly nested) model at a path; empty if it is not one."""
    current: Any = model  # Any: annotations are arbitrary type expressions
    for part in path:
        if isinstance(part, int):
            continue
        fields = getattr(current, "model_fields", {})
        if part not in fields:
            return set()
        current = _model_in(fields[part].annotation)
    return set(getattr(current, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    """Find the pydantic model inside `tuple[X, ...]`, `X | None` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


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
