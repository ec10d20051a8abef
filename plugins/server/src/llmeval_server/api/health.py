"""Health for those who start and watch servers: alive, and ready to run jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from llmeval_core.hooks import LlmevalError
from llmeval_server.api.reading import journal_reader
from llmeval_server.context import ServerContext

_log = logging.getLogger("llmeval")
WORKER_SILENT_S = 30.0
"""A worker that gave no sign of life for so long is taken for gone."""

Answer = Literal["ok", "failed"]


class Health(BaseModel):
    """That we are alive."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether jobs can be accepted and run."""

    model_config = ConfigDict(frozen=True)

    status: Answer
    journal: Answer
    jobs: Answer
    worker: Answer = Field(description="Whether one gave a sign of life lately.")


def health_router(context: ServerContext) -> APIRouter:
    """Make the routes that need no token; they tell no more than yes or no."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Alive")
    async def healthz() -> Health:
        """Say that the server answers."""
        return Health()

    @router.get(
        "/readyz",
        summary="Ready",
        responses={503: {"model": Readiness, "description": "Something is missing."}},
    )
    def readyz(response: Response) -> Readiness:
        """Say whether the journal, the job store and a worker are there."""
        journal = _ask("journal", lambda: _read(context))
        jobs = _ask("jobs", lambda: bool(context.jobs.counts()) or True)
        worker = _ask("worker", lambda: worker_is_alive(context))
        is_ready = (journal, jobs, worker) == ("ok", "ok", "ok")
        response.status_code = 200 if is_ready else 503
        status: Answer = "ok" if is_ready else "failed"
        return Readiness(status=status, journal=journal, jobs=jobs, worker=worker)

    return router


def worker_is_alive(context: ServerContext) -> bool:
    """Say whether a worker gave a sign of life lately.

    Raises:
        JobStoreError: the store cannot be reached.
    """
    seen_at = context.jobs.worker_seen_at()
    return seen_at is not None and time.time() - seen_at < WORKER_SILENT_S


def _read(context: ServerContext) -> bool:
    with journal_reader(context.settings.home) as reader:
        return reader is None or reader.task("") is None


def _ask(what: str, question: Callable[[], bool]) -> Answer:
    try:
        return "ok" if question() else "failed"
    except (LlmevalError, OSError) as err:
        _log.warning("not ready, %s: %s", what, err)
        return "failed"
