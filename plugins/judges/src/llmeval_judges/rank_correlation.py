"""Spearman's rank correlation: does one number rise with another?"""

from __future__ import annotations

import math
from collections.abc import Sequence


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's correlation of the ranks, ties sharing their mean rank.

    Spearman 1904; the same as `spearmanr` of scipy 1.17.

    Returns:
        None below three pairs, or if one of the two does not vary.
    """
    if len(first) != len(second):
        raise ValueError("both have as many numbers")
    if len(first) < 3:
        return None
    one, other = _ranks(first), _ranks(second)
    middle = (len(first) + 1) / 2
    deviations = [(a - middle, b - middle) for a, b in zip(one, other, strict=True)]
    squares = math.fsum(a * a for a, _ in deviations) * math.fsum(b * b for _, b in deviations)
    if squares == 0:
        return None
    return math.fsum(a * b for a, b in deviations) / math.sqrt(squares)


def partial_spearman(
    first: Sequence[float], second: Sequence[float], given: Sequence[float]
) -> float | None:
    """Return how two numbers rise together beyond what a third one explains.

    The partial correlation of the ranks: that of what is left of them when each is regressed on the
    ranks of the third (Kendall 1942, by Spearman's coefficient).

    Returns:
        None below four triples, if one of the first two does not vary, or if the third explains one
        of them wholly.
    """
    both = spearman(first, second)
    if both is None or len(first) < 4:
        return None
    one, other = spearman(first, given) or 0.0, spearman(second, given) or 0.0
    left = (1 - one * one) * (1 - other * other)
    return None if left <= 1e-12 else (both - one * other) / math.sqrt(left)


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end + 1) / 2
        start = end
    return ranks
