"""The public face: complete, documented, and the only way in for programs."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from llmeval_core import api

ROOT = Path(__file__).parent.parent.parent


def test_the_docstring_lists_each_name_once() -> None:
    _, _, groups = str(api.__doc__).partition("\n\n* ")

    listed = re.findall(r"`(\w+)`", groups)

    assert sorted(api.__all__) == sorted(listed)


@pytest.mark.parametrize("name", api.__all__)
def test_each_function_and_class_has_a_docstring(name: str) -> None:
    found = getattr(api, name)

    assert not (inspect.isclass(found) or inspect.isfunction(found)) or inspect.getdoc(found)
