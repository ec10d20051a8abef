"""How a run ended, as JSON."""

from __future__ import annotations

from typing import Any

from llmeval_core.api.notes_on_outcomes import outcome_notes
from llmeval_core.engine import RunOutcome


def outcome_json(outcome: RunOutcome) -> dict[str, Any]:
    """Everything a program wants to know; Any: JSON."""
    summary = outcome.summary
    return {
        "results": [result.model_dump(mode="json") for result in summary.results],
        "n_samples": summary.n_samples,
        "n_failed": summary.n_failed,
        "n_requests": summary.n_requests,
        "n_unfinished": summary.n_unfinished,
        "n_undelivered": summary.n_undelivered,
        "interrupted": summary.interrupted,
        "elapsed_s": round(summary.elapsed_s, 3),
        "n_tokens": summary.n_tokens,
        "cost": summary.cost,
        "notes": outcome_notes(summary.results),
        "errors": [
            {"what": error.what, "where": error.where, "try": error.hint}
            for error in outcome.errors
        ],
        "trackers": [
            {"name": d.tracker, "undelivered": d.n_undelivered, "location": d.location}
            for d in outcome.deliveries
        ],
    }
