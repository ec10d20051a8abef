"""What a plugin's route gets from this server: its home, its trackers, its log."""

from __future__ import annotations

from collections.abc import Sequence

from llmeval_core.api import (
    DeliveryRepository,
    Journal,
    SyncOutcome,
    deliver_again,
    deliver_pending,
)
from llmeval_core.hooks import RouteContext, TrackerStatus
from llmeval_server.context import ServerContext
from llmeval_server.jobs.new_loop import run_in_new_loop
from llmeval_server.server_log import log_lines

DELIVER_WITHIN_S = 60.0
"""How long one request may spend on delivering results, seconds."""


def make_route_context(context: ServerContext) -> RouteContext:
    """Make the context that each route gets; its functions block."""
    home, catalog = context.settings.home, context.session.catalog

    def tracker_statuses() -> Sequence[TrackerStatus]:
        with Journal(home) as journal:
            return journal.deliveries(DeliveryRepository.tracker_statuses)

    def deliver(name: str) -> str:
        with Journal(home) as journal:
            delivering = deliver_pending(journal, catalog, DELIVER_WITHIN_S, names=(name,))
            return _describe(name, run_in_new_loop(delivering))

    def again(name: str) -> str:
        with Journal(home) as journal:
            delivering = deliver_again(journal, catalog, DELIVER_WITHIN_S, name=name)
            return _describe(name, run_in_new_loop(delivering))

    return RouteContext(
        home,
        tracker_statuses=tracker_statuses,
        deliver=deliver,
        deliver_again=again,
        log_lines=lambda word: log_lines(home, word),
    )


def _describe(name: str, outcomes: Sequence[SyncOutcome]) -> str:
    if not outcomes:
        return f"{name}: no run has used this tracker yet"
    return "; ".join(outcome.line() for outcome in outcomes)
