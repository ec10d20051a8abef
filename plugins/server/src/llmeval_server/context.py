"""What the API and the pages work with."""

from __future__ import annotations

from dataclasses import dataclass

from llmeval_core.api import Session
from llmeval_core.hooks import Route
from llmeval_server.jobs.store import JobStore
from llmeval_server.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class ServerContext:
    """One server's settings, plugins, jobs and routes.

    Args:
        settings: what it was told.
        session: its plugins.
        jobs: where jobs are kept.
        routes: of plugins.
        session_factory: `MODULE:FUNCTION` that gives the same plugins in another process; empty if
            they are installed.
    """

    settings: ServerSettings
    session: Session
    jobs: JobStore
    routes: tuple[Route, ...]
    session_factory: str = ""
