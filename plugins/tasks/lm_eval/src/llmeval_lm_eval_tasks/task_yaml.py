"""lm-eval's YAML files, read as it reads them, but no Python of theirs is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Config = dict[str, Any]
"""What a task's or a group's YAML says; Any: lm-eval gives it no shape."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _TaskLoader(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """A safe loader that knows `!function`; `folder` is that of the file."""

    folder = ""


def _function(loader: _TaskLoader, node: Any) -> FunctionRef:  # Any: yaml's own types
    return FunctionRef(loader.construct_scalar(node), loader.folder)


_TaskLoader.add_constructor("!function", _function)


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A `!function` in a YAML file, not yet imported.

    Args:
        name: as written, such as `utils.process_docs`.
        folder: the folder of the file that says so; modules beside it come first.
    """

    name: str
    folder: str

    @property
    def function(self) -> str:
        """The function's own name."""
        return self.name.rpartition(".")[2]

    @property
    def module_file(self) -> Path:
        """The file of its module, if it stands beside the YAML file."""
        return Path(self.folder, *self.name.split(".")[:-1]).with_suffix(".py")


class YamlReader:
    """Reads YAML files with what they include; each included file is parsed once."""

    def __init__(self) -> None:
        self._parsed: dict[Path, Config] = {}

    def read(self, path: Path) -> Config:
        """Read one file; what it includes comes first, its own keys win.

        Raises:
            OSError, ValueError, TypeError, yaml.YAMLError: it cannot be read, or includes itself.
        """
        return self._read(Path(os.path.abspath(path.expanduser())), ())

    def _read(self, path: Path, seen: tuple[Path, ...]) -> Config:
        if path in seen:
            raise ValueError(f"'{path}' includes itself")
        own = self._parsed.get(path)
        if own is None:
            own = parse_yaml(path)
            if seen:
                self._parsed[path] = own
        if "include" not in own:
            return dict(own)
        included = own["include"]
        merged: Config = {}
        for one in included if isinstance(included, list) else [included]:
            # Of 14,000 files, `resolve` would ask the disk a quarter of a million times.
            inner = self._read(Path(os.path.normpath(path.parent / one)), (*seen, path))
            inner.pop("task_list", None)
            merged.update(inner)
        merged.update({key: value for key, value in own.items() if key != "include"})
        return merged


def parse_yaml(path: Path) -> Config:
    """Parse one file, without what it includes.

    Raises:
        OSError, ValueError, yaml.YAMLError: it cannot be read, or is no mapping.
    """
    with path.open("rb") as file:
        loader = _TaskLoader(file)
        loader.folder = str(path.parent)
        config = loader.get_single_data()
    if not isinstance(config, dict):
        raise ValueError(f"'{path}' holds no mapping")
    return config


def function_refs(value: object) -> list[FunctionRef]:
    """Find every `!function` in what was read."""
    if isinstance(value, FunctionRef):
        return [value]
    inner: list[object] = []
    if isinstance(value, Mapping):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    return [ref for one in inner for ref in function_refs(one)]
