"""A job with how far it is, added up over its tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from llmeval_server.jobs.records import Job, JobProgress


@dataclass(frozen=True, slots=True)
class JobState:
    """What the pages say of a job.

    Args:
        job: the job.
        progress: how far its tasks are.
        n_samples: samples in all its tasks; None if that is not known of one.
        n_done: samples that ended; `n_failed` of them failed.
        n_failed: see there.
        seconds_left: how long the rest takes at the speed of now; None if unknown.
        elapsed_s: how long it has been running, or ran; None if it never started.
    """

    job: Job
    progress: JobProgress
    n_samples: int | None
    n_done: int
    n_failed: int
    seconds_left: float | None
    elapsed_s: float | None

    @property
    def is_delivering(self) -> bool:
        """Whether all samples ended and only trackers still get results."""
        tasks = self.progress.tasks
        is_done = bool(tasks) and all(task.state == "finished" for task in tasks)
        return self.job.state == "running" and is_done

    @property
    def percent(self) -> int | None:
        """How much is done; None if unknown."""
        if self.n_samples is None:
            return None
        return 100 * self.n_done // self.n_samples if self.n_samples else 100


def state_of(job: Job, progress: JobProgress) -> JobState:
    """Add up a job's tasks, or take the numbers of its outcome if it is over."""
    tasks = progress.tasks
    numbers = [task.n_samples for task in tasks]
    n_samples = sum(n for n in numbers if n is not None) if tasks and None not in numbers else None
    n_done, n_failed = sum(task.n_done for task in tasks), sum(task.n_failed for task in tasks)
    if job.outcome is not None and not tasks:
        n_samples = n_done = job.outcome.n_samples
        n_failed = job.outcome.n_failed
    rate = sum(task.samples_per_s for task in tasks if task.state == "running")
    seconds_left = None
    if job.state == "running" and n_samples is not None and rate > 0:
        seconds_left = (n_samples - n_done) / rate
    elapsed_s = None
    if job.started_at is not None:
        elapsed_s = max(0.0, (job.ended_at or time.time()) - job.started_at)
    return JobState(
        job=job,
        progress=progress,
        n_samples=n_samples,
        n_done=n_done,
        n_failed=n_failed,
        seconds_left=seconds_left,
        elapsed_s=elapsed_s,
    )
