"""The one statistic every metric needs: a mean with its standard error, in one pass."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from llmeval_core.records import Aggregate, Score

MEAN_STDERR = "sample standard deviation / sqrt(n) (central limit theorem; lm-eval mean_stderr)"


_BLOCK = 4096


@runtime_checkable
class HasValues(Protocol):
    """Scores that can give their values alone, which is several times faster."""

    def value_blocks(self, size: int) -> Iterable[Sequence[float]]:
        """Stream the values of so many scores at a time, without those that have none."""


def mean_aggregate(scores: Iterable[Score]) -> Aggregate:
    """Average the scores that have a value.

    The standard error is the sample standard deviation (n - 1) over the root of n, as in
    lm-evaluation-harness 0.4 `mean_stderr`; None below two values. Squared deviations are summed in
    blocks and the blocks put together by the pairwise formula of Chan, Golub and LeVeque (The
    American Statistician 37(3), 1983), so a million scores need no memory; the mean is the sum
    through n, which is exact for scores that are 0 and 1.
    """
    n, total, mean, squares = 0, 0.0, 0.0, 0.0
    for block in _value_blocks(scores):
        n_new, total_new = len(block), sum(block)
        if n_new == 0:
            continue
        mean_new = total_new / n_new
        delta = mean_new - mean
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
    return Aggregate(
        value=mean,
        stderr=stderr,
        stderr_method=MEAN_STDERR if stderr is not None else None,
        n_scored=n,
    )


def _value_blocks(scores: Iterable[Score]) -> Iterator[Sequence[float]]:
    if isinstance(scores, HasValues):
        yield from scores.value_blocks(_BLOCK)
        return
    listed = iter(scores)
    while block := list(itertools.islice(listed, _BLOCK)):
        yield [score.value for score in block if score.value is not None]
