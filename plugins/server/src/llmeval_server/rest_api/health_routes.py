"""Health checks: whether the server is alive, and whether it is ready to run jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from llmeval_core.hooks import LlmevalError
from llmeval_server.context import ServerContext
from llmeval_server.journal_access import journal_reader

_log = logging.getLogger("llmeval")
WORKER_HEARTBEAT_TIMEOUT_S = 30.0
"""A worker whose last heartbeat is older than this counts as gone, seconds."""

CheckStatus = Literal["ok", "failed"]


class HealthStatus(BaseModel):
    """The server answers."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = "ok"


class ServerReadiness(BaseModel):
    """Whether jobs can be accepted and run."""

    model_config = ConfigDict(frozen=True)

    status: CheckStatus
    journal: CheckStatus
    jobs: CheckStatus
    worker: CheckStatus = Field(description="Whether a worker has sent a heartbeat lately.")


def health_router(context: ServerContext) -> APIRouter:
    """Make the routes of health checks; they need no token, and reveal nothing else."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Alive")
    async def healthz() -> HealthStatus:
        """Return `ok` whenever the server answers."""
        return HealthStatus()

    @router.get(
        "/readyz",
        summary="Ready",
        responses={503: {"model": ServerReadiness, "description": "A check failed."}},
    )
    def readyz(response: Response) -> ServerReadiness:
        """Check the journal, the job store and the worker."""
        journal = _check("journal", lambda: _read_journal(context))
        jobs = _check("jobs", lambda: bool(context.jobs.counts()) or True)
        worker = _check("worker", lambda: worker_is_alive(context))
        is_ready = (journal, jobs, worker) == ("ok", "ok", "ok")
        response.status_code = 200 if is_ready else 503
        status: CheckStatus = "ok" if is_ready else "failed"
        return ServerReadiness(status=status, journal=journal, jobs=jobs, worker=worker)

    return router


def worker_is_alive(context: ServerContext) -> bool:
    """Whether a worker has sent a heartbeat lately.

    Raises:
        JobStoreError: the store cannot be reached.
    """
    heartbeat_at = context.jobs.last_heartbeat()
    return heartbeat_at is not None and time.time() - heartbeat_at < WORKER_HEARTBEAT_TIMEOUT_S


def _read_journal(context: ServerContext) -> bool:
    with journal_reader(context.settings.home) as reader:
        return reader is None or reader.task("") is None


def _check(what: str, check: Callable[[], bool]) -> CheckStatus:
    try:
        return "ok" if check() else "failed"
    except (LlmevalError, OSError) as err:
        _log.warning("not ready, %s: %s", what, err)
        return "failed"
