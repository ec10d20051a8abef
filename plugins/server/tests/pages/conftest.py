"""Fixtures for tests of the pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from plugins.server.tests.pages.showcase import evaluate_showcase, site


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home folder with results; to be copied, not to be written."""
    home = tmp_path_factory.mktemp("showcase")
    evaluate_showcase(home)
    return home


@pytest.fixture
def home(evaluated: Path, tmp_path: Path) -> Path:
    """Give a home folder of one's own, with results."""
    return Path(shutil.copytree(evaluated, tmp_path / "home"))


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    """Give a browser at a server of one's own, that has results."""
    with site(home) as client:
        yield client


@pytest.fixture(scope="session")
def _shared(evaluated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with site(Path(shutil.copytree(evaluated, tmp_path_factory.mktemp("shared") / "home"))) as one:
        yield one


@pytest.fixture
def reading(_shared: TestClient) -> TestClient:
    """Give a browser at a server that has results, and that no test changes."""
    _shared.cookies.clear()
    return _shared
