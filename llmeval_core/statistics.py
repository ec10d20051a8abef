"""What every metric needs: a mean with its standard error and its interval, in one pass."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from llmeval_core.records import Aggregate, Score

MEAN_STDERR = "sample standard deviation / sqrt(n) (central limit theorem; lm-eval mean_stderr)"
WILSON = "95 % score interval for a proportion (Wilson 1927)"

_BLOCK = 4096
_Z_95 = 1.959963984540054  # the normal quantile at 0.975


@runtime_checkable
class HasValues(Protocol):
    """Scores that can give their values alone, which is several times faster."""

    def value_blocks(self, size: int) -> Iterable[Sequence[float]]:
        """Stream the values of so many scores at a time, without those that have none."""


def mean_aggregate(scores: Iterable[Score], *, of_counts: bool = False) -> Aggregate:
    """Average the scores that have a value.

    The standard error is the sample standard deviation (n - 1) over the root of n, as in
    lm-evaluation-harness 0.4 `mean_stderr`; None below two values. Squared deviations are summed in
    blocks and the blocks put together by the pairwise formula of Chan, Golub and LeVeque (The
    American Statistician 37(3), 1983), so a million scores need no memory; the mean is the sum
    through n, which is exact for scores that are 0 and 1.

    If every score is 0 or 1, the interval is Wilson's: unlike a standard error it is right for few
    samples, and where all are 0 or all are 1.

    Args:
        scores: the scores, in their order.
        of_counts: whether they count or measure something, such as turns: that all are 0 or 1 is
            chance then, and no share of successes; there is no interval.
    """
    n, n_binary, total, mean, squares = 0, 0, 0.0, 0.0, 0.0
    for block in _value_blocks(scores):
        n_new, total_new = len(block), sum(block)
        if n_new == 0:
            continue
        mean_new = total_new / n_new
        delta = mean_new - mean
        n_binary += block.count(0.0) + block.count(1.0)
        spread = math.dist(block, [mean_new] * n_new)
        squares += spread * spread  # not ** 2, which raises where the product is infinite
        if n:  # else delta may be so large that nothing times it is not a number
            squares += delta * delta * n * n_new / (n + n_new)
        n += n_new
        total += total_new
        mean = total / n
    if n == 0:
        return Aggregate(value=None)
    stderr = math.sqrt(squares / (n - 1) / n) if n > 1 else None
    is_proportion = n_binary == n and not of_counts
    return Aggregate(
        value=mean,
        stderr=stderr,
        stderr_method=MEAN_STDERR if stderr is not None else None,
        n_scored=n,
        interval=wilson_interval(round(total), n) if is_proportion else None,
        interval_method=WILSON if is_proportion else None,
    )


def wilson_interval(n_successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion.

    Wilson, Probable inference, the law of succession, and statistical inference (JASA 22, 1927),
    without continuity correction; the same as `proportion_confint(method="wilson")` of statsmodels
    0.15. Args: successes among n trials, n at least 1. Both bounds lie from 0 to 1.
    """
    share, z2 = n_successes / n, _Z_95 * _Z_95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if n_successes == 0 else max(0.0, middle - half)
    high = 1.0 if n_successes == n else min(1.0, middle + half)
    return low, high


def _value_blocks(scores: Iterable[Score]) -> Iterator[Sequence[float]]:
    if isinstance(scores, HasValues):
        yield from scores.value_blocks(_BLOCK)
        return
    listed = iter(scores)
    while block := list(itertools.islice(listed, _BLOCK)):
        yield [score.value for score in block if score.value is not None]
