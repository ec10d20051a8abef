"""The translation keys of outcomes, and of their counts."""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_core.hooks import Outcome

OUTCOME_TEXTS: Mapping[Outcome, str] = {
    "answered": "outcome.answered",
    "truncated": "outcome.truncated",
    "empty": "outcome.empty",
    "refused": "outcome.refused",
    "filtered": "outcome.filtered",
    "unscored": "outcome.unscored",
    "failed": "outcome.failed",
}
"""The key of each outcome's name."""

COUNT_TEXTS: Mapping[Outcome, str] = {
    "truncated": "outcomes.truncated",
    "empty": "outcomes.empty",
    "refused": "outcomes.refused",
    "filtered": "outcomes.filtered",
}
"""The key of the text with a count, for the outcomes that the leaderboard shows."""
