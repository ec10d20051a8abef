"""What is asked of a worker, and what it is forgiven."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of a worker.

    Args:
        at_once: requests that it serves at once.
        ahead: most requests that wait with it besides, if it is fast.
        request_timeout_s: longest time for one request, seconds.
        max_losses: after so many in a row without an answer between, its place stays empty.
        rests: whether it gets less while it refuses and others do not: for a model that it has
            loaded itself. A server refuses all workers.
    """

    at_once: int
    ahead: int
    request_timeout_s: float
    max_losses: int
    rests: bool
