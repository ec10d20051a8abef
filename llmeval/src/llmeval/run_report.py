"""How a run ended, for a program and for a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field

from llmeval.result_table import ResultTable, table_of
from llmeval_core.api import (
    LlmevalError,
    RunOutcome,
    TaskResult,
    outcome_notes,
    run_counts_text,
    shown,
    waiting_text,
    with_count,
)


@dataclass(frozen=True, slots=True, repr=False)
class RunReport:
    """How a run ended.

    Args:
        results: the numbers of this run; `llmeval.results()` has those that stand.
        task_results: the same as trackers receive them, one for each finished task.
        n_samples: samples of finished tasks; `n_failed` of them have no score.
        n_requests: requests that were answered in this run; what the journal had is not asked.
        n_unfinished: tasks that did not finish.
        n_undelivered: results that a required tracker does not have yet; `llmeval sync` delivers
            them.
        elapsed_s: seconds.
        n_tokens: tokens read and written in this run.
        cost: what they cost, by the prices that were given; None without prices.
        locations: where each tracker's results can be seen, by the tracker's name.
        notes: what must be known beside the numbers: answers that were cut off, results that give
            way to more complete ones, numbers that came about otherwise than before.
        errors: what ended tasks or models; `llmeval.run` raises them, with this report.
    """

    results: ResultTable
    task_results: tuple[TaskResult, ...]
    n_samples: int
    n_failed: int
    n_requests: int
    n_unfinished: int
    n_undelivered: int
    elapsed_s: float
    n_tokens: int
    cost: float | None
    locations: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    errors: tuple[LlmevalError, ...] = ()

    @property
    def summary(self) -> str:
        """Counts, time and cost, in one line."""
        return run_counts_text(self, cost=self.cost)

    def __repr__(self) -> str:
        return "\n".join([repr(self.results), *map(shown, self._lines())])

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{html.escape(shown(line))}</div>" for line in self._lines())
        return self.results._repr_html_() + lines

    def _lines(self) -> list[str]:
        return [*self.notes, self.summary, *map(": ".join, self.locations.items())]


class RunError(LlmevalError):
    """A run in which a task or a model could not be evaluated; what is finished is kept.

    Attributes:
        report: how the run ended, with the numbers of what did finish.
        errors: each ended a task or a model.
    """

    def __init__(self, report: RunReport) -> None:
        first, *others = report.errors
        more = f" (and {len(others)} more)" if others else ""
        super().__init__(f"{first.what}{more}", where=first.where, hint=first.hint)
        self.report = report
        self.errors = report.errors


def report_of(outcome: RunOutcome, notes: list[str]) -> RunReport:
    """Make the report of a run.

    Args:
        outcome: how it ended.
        notes: what was said of its plan, and of its results beside older ones.
    """
    summary = outcome.summary
    undelivered = [
        f"{one.tracker}: {waiting_text(one.n_undelivered)} in the journal ({one.reason})"
        for one in outcome.deliveries
        if one.n_undelivered
    ]
    failed = []
    if summary.n_failed:
        failed = [f"{with_count(summary.n_failed, 'sample')} failed; run again to try them again"]
    return RunReport(
        results=table_of(summary.results),
        task_results=summary.results,
        n_samples=summary.n_samples,
        n_failed=summary.n_failed,
        n_requests=summary.n_requests,
        n_unfinished=summary.n_unfinished,
        n_undelivered=summary.n_undelivered,
        elapsed_s=summary.elapsed_s,
        n_tokens=summary.n_tokens,
        cost=summary.cost,
        locations={one.tracker: one.location for one in outcome.deliveries if one.location},
        notes=(*notes, *outcome_notes(summary.results), *failed, *undelivered),
        errors=outcome.errors,
    )
