"""Jobs: submit, list, show, follow, cancel, retry, read the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from llmeval_server.context import ServerContext
from llmeval_server.jobs.job_records import Job, JobProgress, JobState
from llmeval_server.jobs.job_store import JobStore
from llmeval_server.jobs.job_submission import submit
from llmeval_server.planning.planner import Planner
from llmeval_server.rest_api.job_events import (
    EventPosition,
    StreamFinishedError,
    job_events,
    log_events,
)
from llmeval_server.rest_api.job_list import JobList
from llmeval_server.rest_api.job_poller import JobPoller
from llmeval_server.rest_api.openapi_errors import errors
from llmeval_server.rest_api.prefix import API
from llmeval_server.rest_api.submissions import REQUEST_BODY, read_submission
from llmeval_server.security.client_address import wait_for_disconnect

LARGEST_OFFSET = 2**53
_PRINTABLE = r"^[\x21-\x7e]+$"

JobId = Annotated[str, Path(description="The job's id.", max_length=100)]
Offset = Annotated[int, Query(ge=0, le=LARGEST_OFFSET, description="Bytes to skip.")]


def job_router(context: ServerContext, poller: JobPoller, planner: Planner) -> APIRouter:
    """Make the routes below /jobs."""
    router = APIRouter(prefix=f"{API}/jobs", tags=["jobs"])
    jobs = context.jobs

    @router.post(
        "",
        status_code=201,
        summary="Submit a job",
        responses=errors(400, 409, 413, 415, 422, 504),
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def submit_job(
        request: Request,
        response: Response,
        name: Annotated[
            str | None, Query(max_length=200, description="The job's name, for a YAML body.")
        ] = None,
        idempotency_key: Annotated[
            str | None,
            Header(
                max_length=255,
                pattern=_PRINTABLE,
                description="The same key again returns the job that exists already.",
            ),
        ] = None,
    ) -> Job:
        """Accept a run file as a job, which is checked, planned and durable when this returns."""
        sent = await read_submission(request)
        planned = await planner.plan(
            sent.run, counts=False, wait_for_disconnect=lambda: wait_for_disconnect(request)
        )
        job = await submit(jobs, planned, name=sent.name or name or "", key=idempotency_key)
        response.headers["Location"] = f"{request.scope['root_path']}{API}/jobs/{job.id}"
        return job

    @router.get("", summary="List jobs", responses=errors(422))
    def list_jobs(
        state: Annotated[
            list[JobState] | None, Query(description="Only jobs in these states; all if left out.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    ) -> JobList:
        """List jobs, newest first."""
        page = jobs.list(states=state or (), limit=limit, offset=offset)
        return JobList(jobs=page.jobs, n_jobs=page.n_jobs)

    @router.get("/{job_id}", summary="Show a job", responses=errors(404, 422))
    def show_job(job_id: JobId) -> Job:
        """Return one job, with its run file and its outcome."""
        return jobs.get(job_id)

    @router.get("/{job_id}/progress", summary="Show a job's progress", responses=errors(404, 422))
    def job_progress(job_id: JobId) -> JobProgress:
        """Return the progress of each task; no tasks before the job starts."""
        return jobs.progress(job_id)

    @router.post("/{job_id}/cancel", summary="Cancel a job", responses=errors(404, 422))
    def cancel_job(job_id: JobId) -> Job:
        """Ask a job to stop; what is finished is kept. No effect on a job that is over."""
        return jobs.cancel(job_id)

    @router.post("/{job_id}/retry", summary="Retry a job", responses=errors(404, 409, 422))
    def retry_job(job_id: JobId) -> Job:
        """Queue a job that is over again; finished samples are not requested again."""
        return jobs.retry(job_id)

    @router.get(
        "/{job_id}/log",
        summary="Read a job's log",
        response_class=Response,
        responses={
            **errors(404, 422),
            200: {
                "content": {"text/plain": {"schema": {"type": "string"}}},
                "headers": {
                    "Llmeval-Next-Offset": {
                        "description": "The offset of the next part.",
                        "schema": {"type": "integer"},
                    }
                },
            },
        },
    )
    def job_log(job_id: JobId, offset: Offset = 0) -> PlainTextResponse:
        """Return whole lines from a byte offset, at most half a megabyte."""
        text, end = jobs.log(job_id, offset=offset)
        return PlainTextResponse(text, headers={"Llmeval-Next-Offset": str(end)})

    _add_streams(router, jobs, poller)
    return router


def _add_streams(router: APIRouter, jobs: JobStore, poller: JobPoller) -> None:
    """Add the routes of server-sent events."""

    def find_position(
        job_id: JobId,
        last_event_id: Annotated[
            str | None, Header(description="The id of the last event that was received.")
        ] = None,
    ) -> EventPosition | None:
        job = jobs.get(job_id)
        last = EventPosition.parse(last_event_id)
        if last is not None and last.is_end_of(job):
            raise StreamFinishedError
        return last

    def find_offset(
        job_id: JobId, offset: Offset = 0, last_event_id: Annotated[str | None, Header()] = None
    ) -> int:
        jobs.get(job_id)
        if last_event_id is not None and last_event_id.isdecimal():
            return min(int(last_event_id[:16]), LARGEST_OFFSET)
        return offset

    # Not in `Annotated`: FastAPI cannot find local names in postponed annotations.
    last_position, log_offset = Depends(find_position), Depends(find_offset)

    @router.get(
        "/{job_id}/events",
        summary="Follow a job",
        response_class=EventSourceResponse,
        responses={
            **errors(404, 422),
            200: {"description": "Events `job`, `progress` and `end`."},
            204: {"description": "The job is over, and the client has received its end."},
        },
    )
    async def follow_job(
        job_id: JobId, last: EventPosition | None = last_position
    ) -> AsyncIterator[ServerSentEvent]:
        """Stream a job's changes as server-sent events until it is over.

        `job` and `end` carry the job, `progress` its progress. `EventSource` reconnects by
        itself, and receives only what is new.
        """
        async for event in job_events(poller, job_id, last):
            yield event

    @router.get(
        "/{job_id}/log/events",
        summary="Follow a job's log",
        response_class=EventSourceResponse,
        responses={**errors(404, 422), 200: {"description": "Events `log` and `end`."}},
    )
    async def follow_log(job_id: JobId, offset: int = log_offset) -> AsyncIterator[ServerSentEvent]:
        """Stream the log as server-sent events from a byte offset on, until the job is over."""
        async for event in log_events(jobs, job_id, offset):
            yield event
