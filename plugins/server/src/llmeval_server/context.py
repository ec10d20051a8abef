"""What the API and the pages work with."""

from __future__ import annotations

from dataclasses import dataclass

from llmeval_core.hooks import Route
from llmeval_core.library import Session
from llmeval_server.jobs.store import JobStore
from llmeval_server.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class ServerContext:
    """One server's settings, plugins, jobs and routes."""

    settings: ServerSettings
    session: Session
    jobs: JobStore
    routes: tuple[Route, ...]
