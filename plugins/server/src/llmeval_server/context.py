"""What the API and the pages are made from."""

from __future__ import annotations

from dataclasses import dataclass

from llmeval_core.api import Session
from llmeval_core.hooks import Route
from llmeval_server.jobs.job_store import JobStore
from llmeval_server.server_settings import ServerSettings


@dataclass(frozen=True, slots=True)
class ServerContext:
    """One server's settings, plugins, jobs and plugin routes.

    Args:
        settings: the server's settings.
        session: the loaded plugins.
        jobs: the job store.
        routes: the routes that plugins offer.
        session_factory: `MODULE:FUNCTION` that makes the same session in another process; empty
            if its plugins are installed.
    """

    settings: ServerSettings
    session: Session
    jobs: JobStore
    routes: tuple[Route, ...]
    session_factory: str = ""
