"""A name has one meaning: a class is defined once, and a module's file name means one thing.

`ALLOWED_CLASSES` and `ROLES` say what may stand twice, and why.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from llmeval_core.cli.group import COMMANDS

ROOT = Path(__file__).parent.parent
SOURCES = ("llmeval_core", "llmeval/src", "plugins", "templates", "benchmarks", "docs_site")

ALLOWED_CLASSES: dict[str, str] = {}
"""Class names that may be defined more than once, with the reason."""

ROLES = {
    **{
        f"llmeval_core/cli/{name}{rest}": "a command's module is called as the command"
        for name in COMMANDS
        for rest in (".py", "/*.py")
    },
    "llmeval_core/contracts/*.py": "a contract's module is called as what it is about",
    "benchmarks/*.py": "a benchmark is called as what it measures",
    "*/plugin.py": "the hooks of a distribution",
    "*/settings.py": "the settings of a distribution's components, and what they are built on",
    "*/tracker.py": "the tracker of a distribution",
    "*/model.py": "a model of a provider, or of an executor",
}
"""File names that mean the same wherever they stand: what their modules have in common."""


def modules() -> Iterator[Path]:
    """Give every module of ours that is no test."""
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            if "tests" not in path.parts and "build" not in path.parts:
                yield path.relative_to(ROOT)


def classes_twice() -> dict[str, list[str]]:
    """Find the class names that are defined more than once, with their files."""
    defined: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                defined[node.name].append(str(path))
    return {name: files for name, files in defined.items() if len(files) > 1}


def files_twice() -> dict[str, list[str]]:
    """Find the names that several modules or packages have, with their files.

    A package may have a module of its own name, which has what the package is about.
    """
    called: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        if any(fnmatchcase(path.as_posix(), role) for role in ROLES):
            continue
        package = path.parent.name
        if path.name == "__init__.py":
            called[package].append(f"{path.parent}/")
        elif path.stem != package:
            called[path.stem].append(str(path))
    return {name: files for name, files in called.items() if len(files) > 1}


def test_a_class_name_is_defined_once() -> None:
    found = classes_twice()

    assert {name: files for name, files in found.items() if name not in ALLOWED_CLASSES} == {}


def test_a_file_name_means_one_thing() -> None:
    assert files_twice() == {}


@pytest.mark.parametrize("role", [role for role in ROLES if "cli" not in role])
def test_each_role_has_modules(role: str) -> None:
    assert any(fnmatchcase(path.as_posix(), role) for path in modules())


def test_the_tests_of_the_core_stand_where_what_they_test_stands() -> None:
    tests, core = ROOT / "tests" / "core", ROOT / "llmeval_core"
    rooms = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}

    assert {room for room in rooms if not (core / room).is_dir()} == set()
    assert {
        path.name
        for path in tests.glob("test_*.py")
        if not (core / path.name.removeprefix("test_")).exists()
    } == set()
