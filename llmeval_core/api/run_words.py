"""How a run went, in the one line that the command line, Python and the server's log have."""

from __future__ import annotations

from llmeval_core.printable import with_count


def run_counts_text(
    *, n_samples: int, n_requests: int, n_failed: int, elapsed_s: float, cost: float | None = None
) -> str:
    """Return `3 samples, 1 request, 0 failed, 0.5 s, cost 0.02`; without a cost if None.

    Args:
        n_samples: of finished tasks; `n_failed` of them have no score.
        n_requests: that were answered in this run.
        n_failed: samples that failed.
        elapsed_s: seconds.
        cost: by the run file's prices.
    """
    spent = f", cost {cost:.4g}" if cost is not None else ""
    counts = (
        f"{with_count(n_samples, 'sample')}, {with_count(n_requests, 'request')}, {n_failed} failed"
    )
    return f"{counts}, {elapsed_s:.1f} s{spent}"


def waiting_text(n_undelivered: int) -> str:
    """Return `1 result waits`, `2 results wait`."""
    return f"{with_count(n_undelivered, 'result')} {'waits' if n_undelivered == 1 else 'wait'}"
