"""What a job is: a run file that was accepted, and how far it is."""

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
    """How far one task of one model is; `n_samples` is None while it is not known."""

    model: str
    task: str
    n_samples: int | None = Field(description="Samples in the task.")
    n_done: int = Field(description="Samples that ended, failed ones too.")
    n_failed: int
    n_tokens: int = Field(description="Tokens of requests answered in this job.")
    n_under_way: int = Field(description="Requests that are with the model.")
    samples_per_s: float
    seconds_left: float | None
    state: Literal["waiting", "opening", "running", "finished"] = Field(
        description="`opening`: the task begins, and its model is made ready."
    )


class JobProgress(_Record):
    """How far a job is, task by task in the order of the run; changes several times a second."""

    sequence: int = Field(description="Grows with each change; 0 before the first.")
    tasks: tuple[TaskProgress, ...] = ()


class JobOutcome(_Record):
    """How a job's run ended, in numbers; see `llmeval run --json`."""

    n_samples: int
    n_failed: int
    n_requests: int
    n_unfinished: int
    n_undelivered: int
    elapsed_s: float
    n_tokens: int = Field(default=0, description="Tokens of requests answered in this attempt.")
    cost: float | None = Field(default=None, description="Of these tokens, if they have prices.")
    results: tuple[str, ...] = Field(description="Ids of the task results.")


class Job(_Record):
    """One accepted evaluation."""

    id: str
    name: str = Field(description="What people call it; models and data sets if not given.")
    state: JobState
    run: dict[str, Any] = Field(description="The run file; `${NAME}` stands as written.")
    submitted_at: float = Field(description="Seconds since 1970, UTC; so are the others.")
    started_at: float | None = None
    ended_at: float | None = None
    attempt: int = Field(default=1, description="Counts retries from 1.")
    outcome: JobOutcome | None = None
    errors: tuple[JobError, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in ENDED
