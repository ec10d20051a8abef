"""What there is one of for each task or run; pydantic where it is stored and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from llmeval_core.naming import Json
from llmeval_core.pydantic_startup import ready_pydantic
from llmeval_core.records.outcomes import Outcome

ready_pydantic()


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Aggregate(_Stored):
    """One number for many samples.

    Args:
        value: the number; None if nothing could be scored.
        stderr: its standard error; None if unknown.
        stderr_method: how the standard error was found, with its source.
        interval: between which two numbers the value lies with 95 % confidence; None if unknown.
        interval_method: how the interval was found, with its source.
        n_scored: samples that went into it.
        n_failed: samples that should have, and failed, or that the metric could not score.
        n_excluded: samples that were left out because their answers were cut off; then the value
            is only that of the others.
        bounds: what the value would be had these been all wrong, and all right; None if nothing
            was left out or that cannot be told.
    """

    value: float | None
    stderr: float | None = None
    stderr_method: str | None = None
    n_scored: int = 0
    n_failed: int = 0
    interval: tuple[float, float] | None = None
    interval_method: str | None = None
    n_excluded: int = 0
    bounds: tuple[float, float] | None = None


class MetricResult(_Stored):
    """One metric's aggregate over a task or one of its categories.

    Args:
        key: `{dataset}_{n}shot_{metric}`, with `/{category}` for a category.
        metric: the metric's name in the run.
        definition: the id of what was computed, such as `char_f1@flexeval`.
        higher_is_better: which way is better.
        category: None for the whole task.
        aggregate: the number.
    """

    key: str
    metric: str
    definition: str
    higher_is_better: bool
    category: str | None
    aggregate: Aggregate


class RoleUsage(_Stored):
    """What a task asked of a model beside the evaluated one, such as a judge.

    Args:
        model: `provider/model`.
        n_requests: requests, one that several samples share counted for each.
        n_prompt_tokens, n_completion_tokens, n_reasoning_tokens: sums; None if no server told.
        cost: what these tokens cost; None if unknown.
    """

    model: str
    n_requests: int
    n_prompt_tokens: int | None = None
    n_completion_tokens: int | None = None
    n_reasoning_tokens: int | None = None
    cost: float | None = None


class TaskResult(_Stored):
    """How one model did at one task: what trackers receive.

    Args:
        id: unique; a tracker that got this id before does nothing.
        model: `provider/model`.
        task: `{dataset}_{n}shot`.
        dataset: the data set's name.
        dataset_fingerprint: content and settings of the data set.
        n_shots: examples in the prompt.
        task_fingerprint: everything that decides the numbers: model, data, prompt,
            generation settings, metrics.
        plan_fingerprint: the run it comes from.
        metrics: every aggregate, the whole task first, categories after.
        n_samples: samples in the task; `n_failed` of them lack a score: of all metrics, or of one.
        n_prompt_tokens, n_completion_tokens: sums over what the evaluated model was asked; None if
            the server never told.
        cost: what these tokens cost, in the currency of the run's prices; None if unknown.
        started_at, finished_at: seconds since 1970, UTC.
        settings: what the task was run with, for people to read; holds no secrets.
        llmeval_version: the version that made it.
        outcomes: how many samples ended how; outcomes that did not occur are left out; empty in
            results of older versions, which did not count them.
        n_total: samples in the whole data set, without a limit; None if unknown.
        n_reasoning_tokens: those of the completion tokens that are reasoning; None if no server
            told.
        variant: which of several ways of asking or scoring under one data set; None for the
            only one. It is part of `task`.
        replaces: whether it takes the place of a more complete result; without that a result of
            fewer samples gives way to one of more.
        roles: what was asked of others, by role, such as `judge`.
    """

    id: str
    model: str
    task: str
    dataset: str
    dataset_fingerprint: str
    n_shots: int
    task_fingerprint: str
    plan_fingerprint: str
    metrics: tuple[MetricResult, ...]
    n_samples: int
    n_failed: int
    n_prompt_tokens: int | None
    n_completion_tokens: int | None
    started_at: float
    finished_at: float
    settings: dict[str, Json]
    llmeval_version: str
    cost: float | None = None
    outcomes: dict[Outcome, int] = {}
    n_total: int | None = None
    variant: str | None = None
    n_reasoning_tokens: int | None = None
    replaces: bool = False
    roles: dict[str, RoleUsage] = {}


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended, for observers and the command line.

    Args:
        results: one for each finished task, in the order of the plan; those of groups last.
        n_samples: samples of finished tasks; `n_failed` of them failed.
        n_requests: requests that were answered in this run.
        n_unfinished: tasks that did not finish.
        n_undelivered: results that a required tracker does not have yet.
        interrupted: whether the user stopped it.
        elapsed_s: duration of the run, seconds.
        n_tokens: tokens read and written in this run, as far as servers told.
        cost: what they cost, in the currency of the prices; None without prices.
    """

    results: tuple[TaskResult, ...]
    n_samples: int
    n_failed: int
    n_requests: int
    n_unfinished: int
    n_undelivered: int
    interrupted: bool
    elapsed_s: float
    n_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class TrackerStatus:
    """What one tracker has, and what waits for it.

    Args:
        tracker: its name in the runs that used it.
        n_delivered: results that it has.
        n_pending: results that wait; `n_failed` were refused for good.
        delivered_at: the last delivery, seconds since 1970, UTC; None if there was none.
        location: where people can see what it has; None if unknown.
        reason: why the last failed attempt failed; None if none did.
        config: how the last run that used it wrote it, `use`, `required` and settings; `${NAME}`
            as written, literal secrets as `***`.
    """

    tracker: str
    n_delivered: int
    n_pending: int
    n_failed: int
    delivered_at: float | None
    location: str | None
    reason: str | None
    config: Mapping[str, Json] = field(default_factory=dict)

    @property
    def n_undelivered(self) -> int:
        """Results that it does not have."""
        return self.n_pending + self.n_failed
