"""YAML that people write: read with the lines where things stand, and bounded in every way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from llmeval_core.config.origin import KeyPath
from llmeval_core.errors import ConfigError

_DEEPEST = 50
_MOST_VALUES = 100_000
_MOST_BYTES = 10_000_000


def read_bounded_text(path: Path, *, what: str) -> str:
    """Read the text of a file that people write, of 10 MB at most.

    Args:
        path: the file.
        what: what it is called in errors, such as `run file`.

    Raises:
        ConfigError: it is larger.
        OSError: it cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ConfigError(
            f"the {what} has more than {_MOST_BYTES // 1_000_000} MB",
            where=str(path),
            hint="is it the right file?",
        )
    return content.decode("utf-8-sig")


def parse_yaml(text: str, path: Path, *, what: str) -> tuple[Any, dict[KeyPath, int]]:
    """Read YAML; return what it says (Any: YAML) and the line of every key and list item.

    Args:
        text: the YAML.
        path: the file, for errors.
        what: what it is called in errors, such as `run file`.

    Raises:
        ConfigError: it is not YAML, a key comes twice, or it is too deep or too large.
    """
    lines: dict[KeyPath, int] = {}
    try:
        loader = yaml.SafeLoader(text)
        try:
            data: Any = {}
            if (node := loader.get_single_node()) is not None:
                _count_values(node, path, {}, 0, what)
                _collect_lines(node, (), lines, path, what)
                data = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as err:
        line = f":{err.problem_mark.line + 1}" if err.problem_mark else ""
        raise ConfigError(f"the {what} is not YAML: {err.problem}", where=f"{path}{line}") from err
    except yaml.YAMLError as err:
        raise ConfigError(f"the {what} is not YAML: {err}", where=str(path)) from err
    except RecursionError:
        raise ConfigError(f"the {what} is nested too deeply", where=str(path)) from None
    except ValueError as err:  # such as 2025-13-32, or a number of 5,000 digits
        raise ConfigError(f"the {what} has a wrong value: {err}", where=str(path)) from err
    return data, lines


def _count_values(node: yaml.Node, path: Path, known: dict[int, int], depth: int, what: str) -> int:
    """Count the values below a node as if aliases were written out: few lines can be billions.

    Args:
        node: where to begin.
        path: the file.
        known: counts of nodes by their id; 0 while one is being counted.
        depth: nodes above this one.
        what: what the file is called.
    """
    where = f"{path}:{node.start_mark.line + 1}"
    if known.get(id(node)) == 0:
        raise ConfigError(f"a value of the {what} contains itself", where=where)
    if depth > _DEEPEST:
        raise ConfigError(f"the {what} is nested too deeply", where=where)
    if id(node) not in known:
        known[id(node)] = 0
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        n_values = 1 + sum(_count_values(part, path, known, depth + 1, what) for part in inner)
        if n_values > _MOST_VALUES:
            raise ConfigError(f"the {what} has more than {_MOST_VALUES:,} values", where=where)
        known[id(node)] = n_values
    return known[id(node)]


def _collect_lines(
    node: yaml.Node, place: KeyPath, lines: dict[KeyPath, int], path: Path, what: str
) -> None:
    """Note the line of every key and list item; YAML itself takes the last of two equal keys."""
    if len(place) > _DEEPEST:
        where = f"{path}:{node.start_mark.line + 1}"
        raise ConfigError(f"the {what} is nested too deeply", where=where)
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
            _collect_lines(value, inner, lines, path, what)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*place, index), lines, path, what)
