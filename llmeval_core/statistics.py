"""The one statistic every metric needs: a mean with its standard error, in one pass."""

from __future__ import annotations

import math
from collections.abc import Iterable

from llmeval_core.records import Aggregate, Score

MEAN_STDERR = "sample standard deviation / sqrt(n) (central limit theorem; lm-eval mean_stderr)"


def mean_aggregate(scores: Iterable[Score]) -> Aggregate:
    """Average the scores that have a value.

    The standard error is the sample standard deviation (n - 1) over the root of n, as in
    lm-evaluation-harness 0.4 `mean_stderr`; None below two values. Its squares are summed by
    Welford's method (Technometrics 4(3), 1962), so a million scores need no memory; the mean is the
    sum through n, which is exact for scores that are 0 and 1.
    """
    n, total, mean, squares = 0, 0.0, 0.0, 0.0
    for score in scores:
        if score.value is None:
            continue
        n += 1
        total += score.value
        delta = score.value - mean
        mean += delta / n
        squares += delta * (score.value - mean)
    if n == 0:
        return Aggregate(value=None)
    stderr = math.sqrt(squares / (n - 1) / n) if n > 1 else None
    return Aggregate(
        value=total / n,
        stderr=stderr,
        stderr_method=MEAN_STDERR if stderr is not None else None,
        n_scored=n,
    )
