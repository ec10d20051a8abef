"""Plans: what a run file would request, without sending anything."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from llmeval_server.planning.planner import Planner
from llmeval_server.rest_api.openapi_errors import errors
from llmeval_server.rest_api.prefix import API
from llmeval_server.rest_api.submissions import REQUEST_BODY, read_submission
from llmeval_server.security.client_address import wait_for_disconnect


class RoleCount(BaseModel):
    """The requests of one task to a model beside the evaluated one."""

    model_config = ConfigDict(frozen=True)

    role: str
    model: str
    n_requests: int = Field(description="Requests still to be sent, about.")


class TaskCount(BaseModel):
    """The samples and requests of one task of a plan."""

    model_config = ConfigDict(frozen=True)

    model: str
    task: str
    n_samples: int
    n_answered: int = Field(description="Samples whose answer the journal has.")
    n_requests: int = Field(description="Requests still to be sent.")
    n_unusable: int = Field(description="Samples for which the prompt's template fails.")
    warnings: tuple[str, ...] = Field(
        default=(), description="What looks wrong with the samples or their requests, a line each."
    )
    roles: tuple[RoleCount, ...] = Field(
        default=(), description="Requests to other models, such as a judge."
    )


class PlanBody(BaseModel):
    """The tasks and requests of a job."""

    model_config = ConfigDict(frozen=True)

    n_requests: int = Field(description="Number of all requests that would be sent.")
    tasks: tuple[TaskCount, ...]
    plan: dict[str, Any] = Field(
        description="The plan as `llmeval plan --json` prints it."
    )  # Any: JSON


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
        """Check a run file as a submit does, and count its requests; reads all samples.

        It ends when the client disconnects, after `LLMEVAL_PLAN_SECONDS`, and before it reads
        more than `LLMEVAL_MAX_PLAN_SAMPLES`.
        """
        sent = await read_submission(request)
        planned = await planner.plan(
            sent.run, counts=True, wait_for_disconnect=lambda: wait_for_disconnect(request)
        )
        tasks = planned.tasks or ()
        return PlanBody(
            n_requests=sum(task.n_requests for task in tasks),
            tasks=tuple(TaskCount(**asdict(task)) for task in tasks),
            plan=planned.plan,
        )

    return router
