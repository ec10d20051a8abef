"""How fast one server is asked: how much at once, how much a minute, and not while it is down."""

from llmeval_core.pacing.adaptive import AdaptiveLimit
from llmeval_core.pacing.outage import Outage
from llmeval_core.pacing.pacer import FixedLimit, Limit, Pacer
from llmeval_core.pacing.quota import Quota
from llmeval_core.pacing.retry_budget import RetryBudget

__all__ = ["AdaptiveLimit", "FixedLimit", "Limit", "Outage", "Pacer", "Quota", "RetryBudget"]
