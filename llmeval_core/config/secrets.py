"""Secrets come in as `${ENV_NAME}` and never go out again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmeval_core.config.origin import KeyPath, Origin
from llmeval_core.errors import ConfigError

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHORTEST_SECRET = 6


class Redactor:
    """Removes known secret values from any text that leaves the process."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, value: str) -> None:
        """Remember a value; very short ones would hit ordinary words and are left alone."""
        if len(value) >= _SHORTEST_SECRET:
            self._values.add(value)

    def __call__(self, text: str) -> str:
        """Return the text with every known value replaced by `***`."""
        for value in sorted(self._values, key=len, reverse=True):  # one may be part of another
            text = text.replace(value, "***")
        return text


def expand_env(
    value: Any,
    *,
    environ: Mapping[str, str],
    redactor: Redactor,
    origin: Origin,
    path: KeyPath = (),
) -> Any:
    """Replace `${NAME}` in every string of a settings tree, and remember what was put in.

    Any: a tree of YAML values, each of its own type.

    Args:
        value: the tree.
        environ: where names are looked up.
        redactor: remembers the values.
        origin: where the tree comes from.
        path: the tree's place in it.

    Raises:
        ConfigError: a variable is not set; its name is told, never a value.
    """

    def expand(item: Any, key: int | str) -> Any:  # Any: as above
        place = (*path, key)
        return expand_env(item, environ=environ, redactor=redactor, origin=origin, path=place)

    if isinstance(value, Mapping):
        return {key: expand(item, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [expand(item, index) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        found = environ.get(name)
        if found is None:
            raise ConfigError(
                f"environment variable {name} is not set",
                where=origin.where(*path),
                hint=f"export {name}=... before the command",
            )
        redactor.add(found)
        return found

    return _REFERENCE.sub(replace, value)
