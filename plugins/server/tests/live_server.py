"""A server in this process, on a real port, with the real job store."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import uvicorn
from llmeval_server.app_factory import make_app
from llmeval_server.context import ServerContext
from llmeval_server.jobs.dbos_store import open_store
from llmeval_server.jobs.job_store import JobStore
from llmeval_server.server_settings import ServerSettings

from llmeval_core.api import Session
from llmeval_core.hooks import Route
from plugins.server.tests.server_processes import wait_until


class LiveServer:
    """One server; use it as a context manager.

    Args:
        home: its home folder.
        session: its plugins.
        routes: of plugins.
        store: where jobs are kept; a store of its own if None.
        session_factory: as `ServerContext` has it.
        settings: more settings, each of its own type (Any).
    """

    def __init__(
        self,
        home: Path,
        session: Session,
        *,
        routes: Iterable[Route] = (),
        store: JobStore | None = None,
        session_factory: str = "",
        **settings: Any,
    ) -> None:
        self.home = home
        self.settings = ServerSettings(home=home, **settings)
        self.store = store or open_store(self.settings)
        self.context = ServerContext(
            self.settings, session, self.store, tuple(routes), session_factory
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_app(self.context),
                host="127.0.0.1",
                port=0,
                proxy_headers=False,
                log_config=None,
                timeout_graceful_shutdown=2,
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = ""

    def __enter__(self) -> LiveServer:
        self._thread.start()
        wait_until(lambda: self._server.started, "the server's start")
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=60)
        self.store.close()


def run_file(**more: Any) -> dict[str, Any]:
    """Make a run file that needs nothing; Any: JSON."""
    return {
        "models": ["echo/parrot"],
        "tasks": [{"dataset": "jsonl:sums.jsonl"}],
        **more,
    }
