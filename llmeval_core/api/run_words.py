"""How a run went, in the one line that the command line, Python and the server's log have."""

from __future__ import annotations

from typing import Protocol

from llmeval_core.printable import with_count


class RunCounts(Protocol):
    """What a run counted: a `RunSummary`, or what a program keeps of one."""

    @property
    def n_samples(self) -> int:
        """Samples of finished tasks."""

    @property
    def n_requests(self) -> int:
        """Requests that ended in this run, answered or failed."""

    @property
    def n_failed(self) -> int:
        """Samples of finished tasks that failed."""

    @property
    def elapsed_s(self) -> float:
        """Seconds."""


def run_counts_text(counts: RunCounts, *, cost: float | None = None) -> str:
    """Return `3 samples, 1 request, 0 failed, 0.5 s, cost 0.02`; without a cost if None."""
    parts = [
        with_count(counts.n_samples, "sample"),
        with_count(counts.n_requests, "request"),
        f"{counts.n_failed} failed",
        f"{counts.elapsed_s:.1f} s",
    ]
    if cost is not None:
        parts.append(f"cost {cost:.4g}")
    return ", ".join(parts)


def waiting_text(n_undelivered: int) -> str:
    """Return `1 result waits`, `2 results wait`."""
    return f"{with_count(n_undelivered, 'result')} {'waits' if n_undelivered == 1 else 'wait'}"
