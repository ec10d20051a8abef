"""How much a worker is given at once, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """The limits of one worker.

    Args:
        concurrency: requests that it serves at once.
        max_prefetch: most requests that wait in it besides; a slow worker gets fewer.
        request_timeout_s: longest time for one request, seconds.
        max_losses: workers that a slot may lose in a row, without an answer between, before it
            stays empty.
        cools_down: whether a worker that refuses gets less for a while. True for a model that the
            worker loaded itself, so that other copies answer instead; False for a server, which
            refuses all workers alike.
    """

    concurrency: int
    max_prefetch: int
    request_timeout_s: float
    max_losses: int
    cools_down: bool
