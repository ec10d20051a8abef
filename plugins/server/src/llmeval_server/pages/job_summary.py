"""A job with its progress, added up over its tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from llmeval_server.jobs.job_records import Job, JobProgress


@dataclass(frozen=True, slots=True)
class JobSummary:
    """A job and its progress for the pages.

    Args:
        job: the job.
        progress: the progress of its tasks.
        n_samples: samples of all its tasks; None if that is unknown for one of them.
        n_done: finished samples, including failed ones.
        n_failed: failed samples.
        seconds_left: how long the rest takes at the present rate; None if unknown.
        elapsed_s: how long it has run so far; None if it never started.
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
        """Whether all samples are finished, and only results are still being delivered."""
        tasks = self.progress.tasks
        is_done = bool(tasks) and all(task.state == "finished" for task in tasks)
        return self.job.state == "running" and is_done

    @property
    def percent(self) -> int | None:
        """The share of finished samples in percent; None if unknown."""
        if self.n_samples is None:
            return None
        return 100 * self.n_done // self.n_samples if self.n_samples else 100


def summarize(job: Job, progress: JobProgress) -> JobSummary:
    """Add up a job's tasks, or use the numbers of its outcome if it is over."""
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
    return JobSummary(
        job=job,
        progress=progress,
        n_samples=n_samples,
        n_done=n_done,
        n_failed=n_failed,
        seconds_left=seconds_left,
        elapsed_s=elapsed_s,
    )
