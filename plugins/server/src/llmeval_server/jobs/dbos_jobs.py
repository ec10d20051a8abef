"""Converts the status of a DBOS workflow into a job."""

from __future__ import annotations

from pathlib import Path

from dbos import PortableWorkflowError, WorkflowStatus

from llmeval_server.jobs.job_end import JobEnd
from llmeval_server.jobs.job_files import JobFiles
from llmeval_server.jobs.job_records import Job, JobError, JobState

STATES: dict[str, JobState] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "SUCCESS": "succeeded",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
"""The job's state by DBOS's status."""
_GIVEN_UP = JobEnd(
    errors=(
        JobError(
            what="the worker ended again and again while it ran this job",
            hint="see the server's log, then retry the job",
        ),
    )
)


def job_of(status: WorkflowStatus, home: Path) -> Job:
    """Make a job from DBOS's status, and from the job's files where DBOS does not know."""
    state = STATES[status.status]
    attributes = status.attributes or {}
    attempt = int(attributes.get("attempt", 1))
    end = _end_of(status)
    started_at = end.started_at or _seconds(status.dequeued_at)
    if state in ("running", "cancelled"):  # DBOS does not know when a cancelled one started
        stored = JobFiles(home, status.workflow_id).read_progress()
        started_at = stored.started_at if stored and stored.attempt == attempt else started_at
    return Job(
        id=status.workflow_id,
        name=str(attributes.get("name", "")),
        state=state,
        run=status.input["args"][0] if status.input else {},
        submitted_at=float(attributes.get("submitted_at", 0.0)),
        started_at=started_at,
        ended_at=end.ended_at or _seconds(status.completed_at),
        attempt=attempt,
        outcome=end.outcome,
        errors=end.errors,
    )


def _end_of(status: WorkflowStatus) -> JobEnd:
    if status.status == "SUCCESS":
        return JobEnd.model_validate(status.output)
    if status.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
        return _GIVEN_UP
    if status.error is None:
        return JobEnd()
    if isinstance(status.error, PortableWorkflowError) and isinstance(status.error.data, dict):
        return JobEnd.model_validate(status.error.data)
    return JobEnd(errors=(JobError(what=f"internal error: {status.error}"),))


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
