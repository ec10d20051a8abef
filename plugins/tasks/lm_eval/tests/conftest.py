"""A folder with lm-eval's tasks on rows of the comparison, and lm-eval itself, offline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from plugins.tasks.lm_eval.tests.parity.own_tasks import make_own_tasks
from plugins.tasks.lm_eval.tests.parity.parity_folder import make_folder
from plugins.tasks.lm_eval.tests.parity.spec_table import SPECS

_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE", "DISABLE_MULTIPROC")


@pytest.fixture(scope="session")
def library() -> Iterator[None]:
    """Import lm-eval where it can fetch nothing, and starts no processes for its bootstrap."""
    before = {name: os.environ.get(name) for name in _OFFLINE}
    os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    import_module("lm_eval.tasks")
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for the index, which all tests share."""
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """Give a folder with all tasks of the comparison."""
    made = make_folder(tmp_path_factory.mktemp("parity"), SPECS, cache=cache)
    make_own_tasks(made)
    return made


@pytest.fixture
def by_lm_eval(library: None) -> Callable[..., Any]:
    """Give what evaluates by lm-eval; imported late, because lm-eval takes seconds."""
    module = import_module("plugins.tasks.lm_eval.tests.parity.by_lm_eval")
    evaluate: Callable[..., Any] = module.evaluate_by_lm_eval
    return evaluate
