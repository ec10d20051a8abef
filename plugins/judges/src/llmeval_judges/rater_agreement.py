"""How far raters agree, beyond what chance alone would bring: Cohen's kappa, Krippendorff's alpha.

Pure functions. What cannot be told is None, never 1 and never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

Weights = Literal["nominal", "linear", "quadratic"]
Distance = Literal["nominal", "ordinal", "interval"]


def observed_agreement(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Return the share of items that two raters give the same label; None without items."""
    if not first:
        return None
    same = sum(one == other for one, other in zip(first, second, strict=True))
    return same / len(first)


def base_rate(labels: Sequence[int]) -> float | None:
    """Return the share of the most frequent label; None without labels.

    Who always says that label agrees with these as often, and knows nothing.
    """
    return max(Counter(labels).values()) / len(labels) if labels else None


def cohen_kappa(
    first: Sequence[int], second: Sequence[int], *, weights: Weights = "nominal"
) -> float | None:
    """Return the agreement of two raters beyond chance: 1 is perfect, 0 what chance brings.

    Cohen, A coefficient of agreement for nominal scales (1960), and Weighted kappa (1968): one
    minus the observed disagreement over the one expected from how often each rater gives each
    label. Linear and quadratic weights count the steps between labels. The same as
    `cohen_kappa_score` of scikit-learn 1.9.

    Args:
        first, second: the labels' places on the scale, from 0, item by item.
        weights: how a disagreement grows with the steps between two labels.

    Returns:
        None if there is no item, or if both raters give one and the same label only.
    """
    pairs = Counter(zip(first, second, strict=True))
    n = len(first)
    mine, theirs = Counter(first), Counter(second)
    weigh = _WEIGHTS[weights]
    observed = sum(count * weigh(a, b) for (a, b), count in pairs.items())
    expected = sum(
        n_mine * n_theirs * weigh(a, b)
        for a, n_mine in mine.items()
        for b, n_theirs in theirs.items()
    )
    return None if expected == 0 else 1 - observed * n / expected


def krippendorff_alpha(
    units: Sequence[Sequence[float]], *, distance: Distance = "nominal"
) -> float | None:
    """Return the agreement of any number of raters, who need not all rate everything.

    Krippendorff, Computing Krippendorff's alpha-reliability (2011): one minus the observed
    disagreement within units over the one expected from all ratings. The same as `alpha` of the
    package krippendorff 0.9.

    Args:
        units: for each thing that was rated its ratings, in any order.
        distance: how far two ratings are apart: all the same, by ranks, or by their difference.

    Returns:
        None if no unit has two ratings, or if all ratings are the same.
    """
    rated = [Counter(unit) for unit in units if len(unit) > 1]
    counts: Counter[float] = Counter()
    for unit in rated:
        counts.update(unit)
    n = counts.total()
    apart = _distance(distance, counts)
    expected = _disagreement(counts, apart)
    if expected == 0:
        return None
    observed = sum(_disagreement(unit, apart) / (unit.total() - 1) for unit in rated)
    return 1 - (n - 1) * observed / expected


def _disagreement(counts: Counter[float], apart: Callable[[float, float], float]) -> float:
    """Sum the distances of all pairs of ratings."""
    return sum(
        n_one * n_other * apart(one, other)
        for one, n_one in counts.items()
        for other, n_other in counts.items()
        if one != other
    )


def _distance(distance: Distance, counts: Counter[float]) -> Callable[[float, float], float]:
    if distance == "nominal":
        return lambda one, other: 1.0
    if distance == "interval":
        return lambda one, other: (one - other) ** 2
    ranks, below = {}, 0
    for value in sorted(counts):
        ranks[value] = below + counts[value] / 2
        below += counts[value]
    return lambda one, other: (ranks[one] - ranks[other]) ** 2


_WEIGHTS: dict[Weights, Callable[[int, int], float]] = {
    "nominal": lambda one, other: float(one != other),
    "linear": lambda one, other: float(abs(one - other)),
    "quadratic": lambda one, other: float((one - other) ** 2),
}
