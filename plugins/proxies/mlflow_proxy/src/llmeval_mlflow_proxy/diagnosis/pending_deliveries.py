"""Which results trackers have got and which are pending."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from llmeval_core.hooks import LlmevalError, TrackerStatus
from llmeval_mlflow_proxy.diagnosis.findings import Finding, FindingAction
from llmeval_mlflow_proxy.diagnosis.redaction import redacted


def look_at_deliveries(
    tracker_statuses: Callable[[], Sequence[TrackerStatus]], secrets: Collection[str]
) -> list[Finding]:
    """Find out which results are pending, and why; blocks."""
    try:
        found = tracker_statuses()
    except LlmevalError as err:
        values = {"reason": redacted(err.what, secrets)}
        return [Finding("deliveries", "failed", "deliveries.unknown", values)]
    if not found:
        return [Finding("deliveries", "ok", "deliveries.none")]
    return [_finding(status, secrets) for status in found]


def _finding(status: TrackerStatus, secrets: Collection[str]) -> Finding:
    values: dict[str, str | int] = {
        "tracker": status.tracker,
        "n_delivered": status.n_delivered,
        "n_pending": status.n_pending,
        "n_failed": status.n_failed,
        "reason": redacted(status.reason or "-", secrets),
    }
    if status.n_undelivered == 0:
        return Finding("deliveries", "ok", "deliveries.all", values)
    return Finding(
        "deliveries",
        "failed" if status.n_failed else "warning",
        "deliveries.pending",
        values,
        remedy="deliveries.remedy",
        action=FindingAction("deliver", status.tracker),
    )
