"""What trackers have and lack."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from llmeval_core.hooks import LlmevalError, TrackerStanding
from llmeval_mlflow_proxy.diagnosis.findings import Action, Finding
from llmeval_mlflow_proxy.diagnosis.redaction import redacted


def look_at_deliveries(
    standings: Callable[[], Sequence[TrackerStanding]], secrets: Collection[str]
) -> list[Finding]:
    """Find out what waits, and why; blocks."""
    try:
        found = standings()
    except LlmevalError as err:
        values = {"reason": redacted(err.what, secrets)}
        return [Finding("deliveries", "failed", "deliveries.unknown", values)]
    if not found:
        return [Finding("deliveries", "ok", "deliveries.none")]
    return [_finding(standing, secrets) for standing in found]


def _finding(standing: TrackerStanding, secrets: Collection[str]) -> Finding:
    values: dict[str, str | int] = {
        "tracker": standing.tracker,
        "n_delivered": standing.n_delivered,
        "n_pending": standing.n_pending,
        "n_failed": standing.n_failed,
        "reason": redacted(standing.reason or "-", secrets),
    }
    if standing.n_lacking == 0:
        return Finding("deliveries", "ok", "deliveries.all", values)
    return Finding(
        "deliveries",
        "failed" if standing.n_failed else "warning",
        "deliveries.lacking",
        values,
        cure="deliveries.cure",
        action=Action("deliver", standing.tracker),
    )
