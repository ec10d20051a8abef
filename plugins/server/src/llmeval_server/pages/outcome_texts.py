"""Which texts say how a sample ended, and how many did."""

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
"""The keys of the words."""

COUNT_TEXTS: Mapping[Outcome, str] = {
    "truncated": "outcomes.truncated",
    "empty": "outcomes.empty",
    "refused": "outcomes.refused",
    "filtered": "outcomes.filtered",
}
"""The keys of the texts with a number, for what the leaderboard tells beside failures."""
