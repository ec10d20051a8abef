"""What is released: the distributions of this repository, as their `pyproject.toml` says."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SUITE = "llmeval-suite"
"""The distribution that most people install."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution.

    Args:
        folder: where its `pyproject.toml` lies.
        project: the table `project` of that file; Any: TOML.
    """

    folder: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name on an index."""
        return str(self.project["name"])

    @property
    def file_name(self) -> str:
        """What the names of its files begin with."""
        return self.name.replace("-", "_")

    @property
    def requirements(self) -> list[str]:
        """Everything that it asks for, with all its extras."""
        extras = self.project.get("optional-dependencies", {})
        return [*self.project["dependencies"], *(one for some in extras.values() for one in some)]


def distributions(root: Path = ROOT) -> list[Distribution]:
    """List the distributions, the core first; the template for plugins is not released."""
    return [
        Distribution(file.parent, tomllib.loads(file.read_text(encoding="utf-8"))["project"])
        for file in _projects(root)
    ]


def _projects(root: Path) -> Iterator[Path]:
    yield root / "pyproject.toml"
    yield root / "llmeval" / "pyproject.toml"
    for pattern in ("plugins/*/pyproject.toml", "plugins/*/*/pyproject.toml"):
        yield from sorted(root.glob(pattern))


if __name__ == "__main__":
    for one in distributions():
        print(one.name)  # noqa: T201  what the command is for
