"""How fast one server is asked: how much at once, how much a minute, and not while it is down."""

from llmeval_core.pacing.adaptive_limit import AdaptiveLimit
from llmeval_core.pacing.rate_limiter import EndpointRateLimiter, FixedLimit, Limit
from llmeval_core.pacing.retry_budget import RetryBudget
from llmeval_core.pacing.token_bucket import TokenBucket

__all__ = [
    "AdaptiveLimit",
    "EndpointRateLimiter",
    "FixedLimit",
    "Limit",
    "RetryBudget",
    "TokenBucket",
]
