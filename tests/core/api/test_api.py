"""The public face: complete, documented, and the only way in for programs."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmeval_core import api

ROOT = Path(__file__).parents[3]
PROGRAMS = ("docs_site", "templates")
"""What is no package of `lint-imports`, which sees to the others."""


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_the_docstring_lists_each_name_once() -> None:
    _, _, groups = str(api.__doc__).partition("\n\n* ")

    listed = re.findall(r"`(\w+)`", groups)

    assert sorted(set(api.__all__) - {"__version__"}) == sorted(listed)


@pytest.mark.parametrize("name", api.__all__)
def test_each_function_and_class_has_a_docstring(name: str) -> None:
    found = getattr(api, name)

    assert not (inspect.isclass(found) or inspect.isfunction(found)) or inspect.getdoc(found)


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_do_not_reach_behind_it(program: str) -> None:
    behind = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted((ROOT / program).rglob("*.py"))
        for module in imported_modules(path)
        if module.startswith("llmeval_core.api.")
    }

    assert behind == set()
