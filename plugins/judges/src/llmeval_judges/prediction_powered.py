"""A mean over many judged answers, corrected by the few that people have judged, too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from statistics import NormalDist

FEWEST_FOR_INTERVAL = 50
"""Labels below which no interval is told: at 20 a nominal 95 % covers 84 to 91 %."""
PPI = "prediction-powered, PPI++ (Angelopoulos, Duchi, Zrnic 2023, arXiv 2311.01453)"


@dataclass(frozen=True, slots=True)
class CorrectedMean:
    """A mean that the judge's errors are taken out of.

    Args:
        estimate: the mean.
        stderr: its standard error.
        weight: how much the judge counts, from 0 (the labels alone) to 1.
    """

    estimate: float
    stderr: float
    weight: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of a level, by the normal distribution; not held within the scale."""
        half = NormalDist().inv_cdf((1 + level) / 2) * self.stderr
        return self.estimate - half, self.estimate + half


def corrected_mean(
    labels: Sequence[float], judged: Sequence[float], unlabelled: Sequence[float]
) -> CorrectedMean | None:
    """Correct the mean of a judge's verdicts by PPI++.

    The judge's mean over what has no label is moved by its mean error where there are labels. Its
    weight is the one that makes the variance least: the covariance of labels and verdicts over
    (1 + n/N) times the variance of all verdicts, held within 0 and 1; 0 if verdicts do not vary.
    The same as `ppi_mean_pointestimate` and `ppi_mean_ci` of ppi-python 0.2.3. What is labelled
    must be a random part of all.

    Args:
        labels: what people say.
        judged: what the judge says of the same answers, in the same order.
        unlabelled: what the judge says of all others.

    Returns:
        None unless two answers have a label and one has none.
    """
    n, n_others = len(labels), len(unlabelled)
    if n < 2 or n_others < 1:
        return None
    spread = _variance([*judged, *unlabelled]) * (n + n_others) / (n + n_others - 1)
    weight = 0.0
    if spread > 0:
        weight = _covariance(labels, judged) / ((1 + n / n_others) * spread)
        weight = min(1.0, max(0.0, weight))
    errors = [label - weight * says for label, says in zip(labels, judged, strict=True)]
    estimate = _mean(errors) + weight * _mean(unlabelled)
    variance = _variance(errors) / n + weight * weight * _variance(unlabelled) / n_others
    return CorrectedMean(estimate, math.sqrt(variance), weight)


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    return _covariance(values, values)


def _covariance(first: Sequence[float], second: Sequence[float]) -> float:
    one, other = _mean(first), _mean(second)
    both = zip(first, second, strict=True)
    return fsum((a - one) * (b - other) for a, b in both) / len(first)
