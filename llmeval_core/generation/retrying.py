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
MAX_ATTEMPTS_UNPROVEN = 3
"""Attempts to reach a server that never answered: most likely the address is wrong."""

MAX_RATE_LIMITED = 60
"""How often one request may be refused because of a quota. A refusal is no attempt, and costs
nothing of the run's retries; how long all wait for a quota is bounded by the rate limiter."""
MAX_RATE_LIMIT_BACKOFF_S = 60.0
"""Quotas are those of a minute, mostly: the longest back-off where the server asks for none."""


def backoff_s(retry: RetryConfig, attempt: int, error: ModelError, rng: random.Random) -> float:
    """Choose how long to wait after a failed attempt (counted from 1), seconds.

    Exponential with full jitter, see `Backoff`. What the server asks for comes on top: the rate
    limiter sends nothing until then.
    """
    longest = retry.max_s
    if error.kind == "rate_limit":
        longest = max(longest, MAX_RATE_LIMIT_BACKOFF_S)
    return Backoff(retry.base_s, longest, spread=(0, 1)).wait_s(attempt, chance=rng)
