"""Records of jobs: an accepted run file, its progress and its outcome."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ENDED: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobError(_Record):
    """Why a job did not succeed: what happened, where, what to try."""

    what: str
    where: str | None = None
    hint: str | None = None


class TaskProgress(_Record):
    """The progress of one task of one model; `n_samples` is None while it is unknown."""

    model: str
    task: str
    n_samples: int | None = Field(description="Samples in the task.")
    n_done: int = Field(description="Finished samples, including failed ones.")
    n_failed: int
    n_tokens: int = Field(description="Tokens of the requests answered in this job.")
    n_under_way: int = Field(description="Requests that wait for the model's answer.")
    samples_per_s: float
    seconds_left: float | None
    state: Literal["waiting", "opening", "running", "finished"] = Field(
        description="`opening`: the task has begun, and its model is being opened."
    )


class JobProgress(_Record):
    """The progress of a job's tasks, in the order of the run; updated several times a second."""

    sequence: int = Field(description="Increases with each update; 0 before the first.")
    tasks: tuple[TaskProgress, ...] = ()


class JobOutcome(_Record):
    """The numbers of a job's finished run; see `llmeval run --json`."""

    n_samples: int
    n_failed: int
    n_requests: int
    n_unfinished: int
    n_undelivered: int
    elapsed_s: float
    n_tokens: int = Field(default=0, description="Tokens of the requests answered in this attempt.")
    cost: float | None = Field(
        default=None, description="Cost of these tokens; null without prices."
    )
    results: tuple[str, ...] = Field(description="Ids of the task results.")


class Job(_Record):
    """One accepted evaluation."""

    id: str
    name: str = Field(description="The name given to it, or its models and data sets.")
    state: JobState
    run: dict[str, Any] = Field(description="The run file, with `${NAME}` as written.")
    submitted_at: float = Field(description="Seconds since 1970, UTC; so are the others.")
    started_at: float | None = None
    ended_at: float | None = None
    attempt: int = Field(default=1, description="Counts retries from 1.")
    outcome: JobOutcome | None = None
    errors: tuple[JobError, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the job has ended, so that only a retry changes it."""
        return self.state in ENDED
