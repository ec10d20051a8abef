"""Plans: what a run file would ask, without asking."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from llmeval_server.api.prefix import API
from llmeval_server.api.responses import errors
from llmeval_server.api.submissions import REQUEST_BODY, read_submission
from llmeval_server.planning.planner import Planner
from llmeval_server.security.clients import client_leaves


class TaskCount(BaseModel):
    """One task of a plan, counted."""

    model_config = ConfigDict(frozen=True)

    model: str
    task: str
    n_samples: int
    n_answered: int = Field(description="Samples whose answer the journal has.")
    n_requests: int = Field(description="Requests still to be sent.")
    n_unusable: int = Field(description="Samples that the prompt's templates fail on.")
    doubts: tuple[str, ...] = Field(
        default=(), description="What looks wrong with the samples or their requests, a line each."
    )


class PlanBody(BaseModel):
    """What a job would do."""

    model_config = ConfigDict(frozen=True)

    n_requests: int = Field(description="Requests that would be sent, in all.")
    tasks: tuple[TaskCount, ...]
    plan: dict[str, Any] = Field(description="As `llmeval plan --json` prints it.")  # Any: JSON


def plan_router(planner: Planner) -> APIRouter:
    """Make the route of plans."""
    router = APIRouter(prefix=API, tags=["jobs"])

    @router.post(
        "/plan",
        summary="Plan without submitting",
        responses=errors(400, 413, 415, 422, 504),
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def plan(request: Request) -> PlanBody:
        """Check a run file as a submit does, and count what would be asked; reads all samples.

        It ends when the client leaves, after `LLMEVAL_PLAN_SECONDS`, or when it would read more
        than `LLMEVAL_MAX_PLAN_SAMPLES`.
        """
        sent = await read_submission(request)
        planned = await planner.plan(
            sent.run, counts=True, client_leaves=lambda: client_leaves(request)
        )
        tasks = planned.tasks or ()
        return PlanBody(
            n_requests=sum(task.n_requests for task in tasks),
            tasks=tuple(TaskCount(**asdict(task)) for task in tasks),
            plan=planned.plan,
        )

    return router
