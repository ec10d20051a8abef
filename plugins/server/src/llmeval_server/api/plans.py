"""Plans: what a run file would ask, without asking."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from llmeval_core.hooks import ConfigError
from llmeval_core.library import Plan, TaskPreview, existing_journal, preview
from llmeval_server.api.prefix import API
from llmeval_server.api.responses import errors
from llmeval_server.api.submissions import REQUEST_BODY, read_submission
from llmeval_server.context import ServerContext
from llmeval_server.jobs.submitting import check


class TaskCount(BaseModel):
    """One task of a plan, counted."""

    model_config = ConfigDict(frozen=True)

    model: str
    task: str
    n_samples: int
    n_answered: int = Field(description="Samples whose answer the journal has.")
    n_requests: int = Field(description="Requests still to be sent.")
    n_unusable: int = Field(description="Samples that the prompt's templates fail on.")


class PlanBody(BaseModel):
    """What a job would do."""

    model_config = ConfigDict(frozen=True)

    n_requests: int = Field(description="Requests that would be sent, in all.")
    tasks: tuple[TaskCount, ...]
    plan: dict[str, Any] = Field(description="As `llmeval plan --json` prints it.")  # Any: JSON


def plan_router(context: ServerContext) -> APIRouter:
    """Make the route of plans."""
    router = APIRouter(prefix=API, tags=["jobs"])
    redact = context.session.catalog.redactor

    @router.post(
        "/plan",
        summary="Plan without submitting",
        responses=errors(400, 413, 415, 422),
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def plan(request: Request) -> PlanBody:
        """Check a run file as a submit does, and count what would be asked; reads all samples."""
        sent = await read_submission(request)
        checked = await check(context, sent.run)
        counted = await asyncio.to_thread(_count, checked.plan, context.settings.home)
        body = PlanBody(
            n_requests=sum(task.n_requests for task in counted),
            tasks=tuple(TaskCount(**asdict(task)) for task in counted),
            plan=checked.plan.describe(),
        )
        return PlanBody.model_validate_json(redact(body.model_dump_json()))

    return router


def _count(plan: Plan, home: Path) -> list[TaskPreview]:
    try:
        journal = existing_journal(home)
    except ConfigError:
        return preview(plan, None)
    with journal:
        return preview(plan, journal)
