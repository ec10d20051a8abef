"""How far a jury agrees, over all samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from llmeval_core.hooks import Aggregate, Score
from llmeval_judges.jury import Ruling
from llmeval_judges.rater_agreement import Distance, krippendorff_alpha
from llmeval_judges.scale import Scale


def unit_parts(rulings: Sequence[Ruling], scale: Scale) -> tuple[float, ...]:
    """Write down the verdicts on each answer: how many, then their places on the scale."""
    parts: list[float] = []
    for ruling in rulings:
        places = [float(scale.levels.index(one.level)) for one in ruling.given]
        parts += [float(len(places)), *places]
    return tuple(parts)


def agreement_aggregate(scores: Iterable[Score], scale: Scale) -> Aggregate:
    """Return Krippendorff's alpha: by difference for points, by ranks or alike for words.

    Without a standard error. No value if nobody can disagree: with one verdict everywhere.
    """
    listed = list(scores)
    units = [unit for score in listed for unit in _units(score.parts)]
    distance: Distance = "interval" if scale.is_points else "nominal"
    if scale.is_ordered and not scale.is_points:
        distance = "ordinal"
    alpha = krippendorff_alpha(units, distance=distance)
    n_scored = sum(any(len(unit) > 1 for unit in _units(score.parts)) for score in listed)
    return Aggregate(value=alpha, n_scored=n_scored)


def _units(parts: Sequence[float]) -> Iterator[Sequence[float]]:
    start = 0
    while start < len(parts):
        end = start + 1 + int(parts[start])
        yield parts[start + 1 : end]
        start = end
