"""What is tried again, and how long after."""

from __future__ import annotations

import random

from llmeval_core.config import RetryConfig
from llmeval_core.errors import FailureKind, ModelError

FATAL: frozenset[FailureKind] = frozenset({"auth", "not_found"})
"""No sample can succeed: the model is given up at once."""
TRANSIENT: frozenset[FailureKind] = frozenset(
    {"rate_limit", "overloaded", "connection", "timeout", "malformed"}
)
"""The same request may succeed later."""
ATTEMPTS_UNPROVEN = 3
"""Attempts to reach a server that never answered: most likely the address is wrong."""


def wait_s(retry: RetryConfig, attempt: int, error: ModelError, chance: random.Random) -> float:
    """Choose how long to wait after a failed attempt (counted from 1), seconds.

    Exponential with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015),
    and at least what the server asks for.
    """
    ceiling: float = min(retry.max_s, retry.base_s * 2.0 ** min(attempt - 1, 60))
    return max(chance.uniform(0, ceiling), error.retry_after_s or 0.0)
