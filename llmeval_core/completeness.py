"""Which of several results of a model at a task is the current one.

It is the most complete, and of equally complete ones the newest: the leaderboard and trackers show
its numbers. A newer result that is less complete gives way to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmeval_core.naming import Json
from llmeval_core.records import TaskResult

MORE_FAILED = 0.02
"""How much larger the share of samples without a score may be in a newer result that is current."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a data set a result covers.

    Args:
        n_samples: samples that were asked about.
        n_total: samples in the data set; None if unknown.
        n_failed: samples of these that lack a score.
        is_whole: whether nothing was left out.
    """

    n_samples: int
    n_total: int | None
    n_failed: int
    is_whole: bool

    def is_less_than(self, other: Coverage) -> bool:
        """Whether a result with this coverage gives way to one with the other.

        One of the whole data set never gives way to one of a part, however large both are. Of two
        parts the larger one counts. Else one gives way if clearly more of it has no score: by more
        than `MORE_FAILED` of its samples.
        """
        if self.is_whole != other.is_whole:
            return other.is_whole
        if not self.is_whole and self.n_samples != other.n_samples:
            return self.n_samples < other.n_samples
        return self._share_failed > other._share_failed + MORE_FAILED

    def as_list(self) -> list[Json]:
        """Return it as JSON, in the order of the fields, for a tracker to keep beside numbers."""
        return [self.n_samples, self.n_total, self.n_failed, self.is_whole]

    @classmethod
    def from_list(cls, stored: object) -> Coverage | None:
        """Read what `as_list` gave; None if it is anything else."""
        match stored:
            case [int(n_samples), int() | None as n_total, int(n_failed), bool(is_whole)]:
                return cls(n_samples, n_total, n_failed, is_whole)
            case _:
                return None

    @property
    def _share_failed(self) -> float:
        return self.n_failed / self.n_samples if self.n_samples else 0.0


def coverage_of(result: TaskResult, metric: str | None = None) -> Coverage:
    """Say how much of its data set a result covers, also one of a version that did not note it.

    Args:
        result: the result.
        metric: of which of its numbers, as one metric may have failed where others did not; None
            for the task, where a sample has failed if any of them lacks it.
    """
    limit = result.settings.get("limit")
    n_total = result.n_total
    is_whole = not isinstance(limit, int) or result.n_samples < limit
    if n_total is not None:
        is_whole = result.n_samples >= n_total
    elif is_whole:
        n_total = result.n_samples
    return Coverage(result.n_samples, n_total, _n_failed(result, metric), is_whole)


def _n_failed(result: TaskResult, metric: str | None) -> int:
    for one in result.metrics if metric is not None else ():
        if one.metric == metric and one.category is None:
            return one.aggregate.n_failed
    return result.n_failed


def gives_way(new: TaskResult, old: TaskResult, metric: str | None = None) -> bool:
    """Whether a newer result of the same model and task leaves the older one the current one.

    Args:
        new, old: the results.
        metric: whether it does with this number; None for the task as a whole.
    """
    return not new.replaces and coverage_of(new, metric).is_less_than(coverage_of(old, metric))


def without_less_complete(
    result: TaskResult, known: Mapping[str, Coverage]
) -> tuple[TaskResult, str | None]:
    """Remove from a result the metrics that give way to more complete numbers of the same task.

    For a tracker that others deliver to as well, from other folders.

    Args:
        result: the new result.
        known: how complete the numbers are that are there, by metric.

    Returns:
        The result with the metrics that stand, which may be none; and what the user should know,
        None if nothing was removed.
    """
    names = {metric.metric for metric in result.metrics}
    new = {name: coverage_of(result, name) for name in names}
    removed = {name for name in names & known.keys() if new[name].is_less_than(known[name])}
    if result.replaces or not removed:
        return result, None
    most = max(known[name].n_samples for name in removed)
    n_failed = max(new[name].n_failed for name in removed)
    note = (
        f"{result.task}: {result.n_samples} samples ({n_failed} failed) give way to the more"
        f" complete numbers of {most} samples that the run has; --replace puts them there"
    )
    left = tuple(metric for metric in result.metrics if metric.metric not in removed)
    return result.model_copy(update={"metrics": left}), note


def current_result(results: Iterable[TaskResult]) -> TaskResult | None:
    """Return the current result of one model at one task.

    Args:
        results: oldest first.
    """
    found: TaskResult | None = None
    for result in results:
        if found is None or not gives_way(result, found):
            found = result
    return found


def current_by_metric(results: Iterable[TaskResult]) -> dict[str, TaskResult]:
    """Return the current result of each metric of one model at one task.

    Args:
        results: oldest first; they may have different metrics.
    """
    found: dict[str, TaskResult] = {}
    for result in results:
        for name in dict.fromkeys(metric.metric for metric in result.metrics):
            if name not in found or not gives_way(result, found[name], name):
                found[name] = result
    return found
