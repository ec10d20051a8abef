"""What DBOS says of a workflow, as a job."""

from __future__ import annotations

from pathlib import Path

from dbos import PortableWorkflowError, WorkflowStatus

from llmeval_server.jobs.endings import Ending
from llmeval_server.jobs.files import JobFiles
from llmeval_server.jobs.records import Job, JobError, JobState

STATES: dict[str, JobState] = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "SUCCESS": "succeeded",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
"""DBOS's statuses."""
_GIVEN_UP = Ending(
    errors=(
        JobError(
            what="the worker ended again and again while it ran this job",
            hint="see the server's log, then retry the job",
        ),
    )
)


def job_of(status: WorkflowStatus, home: Path) -> Job:
    """Make a job of what DBOS knows of it, and of its files where DBOS forgets."""
    state = STATES[status.status]
    attributes = status.attributes or {}
    attempt = int(attributes.get("attempt", 1))
    ending = _ending(status)
    started_at = ending.started_at or _seconds(status.dequeued_at)
    if state in ("running", "cancelled"):  # of a cancelled one DBOS forgets when it started
        stage = JobFiles(home, status.workflow_id).stage()
        started_at = stage.started_at if stage and stage.attempt == attempt else started_at
    return Job(
        id=status.workflow_id,
        name=str(attributes.get("name", "")),
        state=state,
        run=status.input["args"][0] if status.input else {},
        submitted_at=float(attributes.get("submitted_at", 0.0)),
        started_at=started_at,
        ended_at=ending.ended_at or _seconds(status.completed_at),
        attempt=attempt,
        outcome=ending.outcome,
        errors=ending.errors,
    )


def _ending(status: WorkflowStatus) -> Ending:
    if status.status == "SUCCESS":
        return Ending.model_validate(status.output)
    if status.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
        return _GIVEN_UP
    if status.error is None:
        return Ending()
    if isinstance(status.error, PortableWorkflowError) and isinstance(status.error.data, dict):
        return Ending.model_validate(status.error.data)
    return Ending(errors=(JobError(what=f"internal error: {status.error}"),))


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
