"""Fixtures for tests of the server: a home folder with a plugin, and its processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import importlib_metadata
import pytest

from llmeval_core.hooks import ENTRY_POINT_GROUP
from plugins.server.tests.api_fixtures import client, data, serve, server, session
from plugins.server.tests.server_processes import ServerProcesses

__all__ = ["client", "data", "processes", "serve", "server", "session"]

_PLUGIN = Path(__file__).parent / "counted_plugin.py"
_NEEDED = frozenset({"server"})


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcesses]:
    """Give a home folder whose processes have the counted plugin, and no other but the server."""
    site = tmp_path / "site"
    info = site / "counted_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(_PLUGIN, site)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counted-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{ENTRY_POINT_GROUP}]\ncounted_plugin = counted_plugin\n"
    )
    installed = {point.name for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)}
    monkeypatch.setenv("LLMEVAL_DISABLE_PLUGINS", ",".join(sorted(installed - _NEEDED)))
    monkeypatch.setenv("LLMEVAL_STRICT_PLUGINS", "1")
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *([known] if known else [])]))
    for name in [name for name in os.environ if name.startswith("LLMEVAL_JOBS")]:
        monkeypatch.delenv(name)
    processes = ServerProcesses(tmp_path, dict(os.environ))
    yield processes
    processes.close()
