"""Fixtures of the API's tests: servers, clients, and a journal with results."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import importlib_metadata
import pytest

from llmeval_core.api import (
    Journal,
    Origin,
    RunConfig,
    Session,
    SilentProgress,
    make_plan,
    make_session,
    run_plan,
)
from llmeval_core.hooks import ENTRY_POINT_GROUP
from plugins.server.tests.live_server import LiveServer

_NEEDED = frozenset({"datasets", "judges", "metrics", "models", "mlflow", "jsonl"})

Serve = Callable[..., LiveServer]


@pytest.fixture(scope="session")
def session() -> Session:
    """Load the plugins that these tests need."""
    installed = {point.name for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)}
    return make_session(disabled=installed - _NEEDED, environ={})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Make a folder with a data set of five sums."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [{"id": f"s{n}", "input": f"{n}+1=", "references": [str(n + 1)]} for n in range(4)]
    rows.append({"id": "=cmd", "input": "=1+1", "references": ["@SUM(A1)"]})
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "sums.jsonl").write_text(text)
    return folder


@pytest.fixture
def serve(tmp_path: Path, data: Path, session: Session) -> Iterator[Serve]:
    """Give a function that starts a server; all end with the test."""
    with ExitStack() as stack:

        def start(**settings: Any) -> LiveServer:
            settings = {"data_folders": (data,), **settings}
            return stack.enter_context(LiveServer(tmp_path / "home", session, **settings))

        yield start


@pytest.fixture
def server(serve: Serve) -> LiveServer:
    """Start a server as `llmeval serve` does for one person."""
    return serve()


@pytest.fixture
async def client(server: LiveServer) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client of the server's API."""
    async with aiohttp.ClientSession(f"{server.url}/api/v1/") as client:
        yield client


def evaluate(home: Path, session: Session, run: dict[str, Any]) -> None:
    """Run a run file here and now; Any: JSON."""
    config = RunConfig.model_validate(run)
    plan = make_plan(config, session.catalog, origin=Origin(), observer=session.host)
    with Journal(home) as journal:
        asyncio.run(run_plan(plan, journal, progress=SilentProgress()))
