"""What is tried again, and how long after."""

from __future__ import annotations

import random

from llmeval_core.config import RetryConfig
from llmeval_core.errors import FailureKind, ModelError
from llmeval_core.support import Backoff

FATAL: frozenset[FailureKind] = frozenset({"auth", "not_found"})
"""No sample can succeed, most likely: the model is given up at once, unless it has answered."""
TRANSIENT: frozenset[FailureKind] = frozenset(
    {"rate_limit", "overloaded", "connection", "timeout", "malformed"}
)
"""The same request may succeed later."""
ATTEMPTS_UNPROVEN = 3
"""Attempts to reach a server that never answered: most likely the address is wrong."""

MOST_RATE_LIMITED = 60
"""Refusals of one request because of a quota. They are no attempts, and cost nothing of the run's
retries; how long all wait for a quota is bounded by the pacer."""
LONGEST_QUOTA_S = 60.0
"""Quotas are those of a minute, mostly: the longest wait where the server tells none."""


def wait_s(retry: RetryConfig, attempt: int, error: ModelError, chance: random.Random) -> float:
    """Choose how long to wait after a failed attempt (counted from 1), seconds.

    Exponential with full jitter, see `Backoff`. What the server asks for comes on top: the rate
    limiter holds everybody back so long.
    """
    longest = max(retry.max_s, LONGEST_QUOTA_S) if error.kind == "rate_limit" else retry.max_s
    return Backoff(retry.base_s, longest, spread=(0, 1)).wait_s(attempt, chance=chance)
