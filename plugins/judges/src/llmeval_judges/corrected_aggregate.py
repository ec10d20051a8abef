"""The judge's mean, corrected by the labels that people gave to a part of the answers."""

from __future__ import annotations

from collections.abc import Iterable

from llmeval_core.hooks import Aggregate, Score
from llmeval_judges.prediction_powered import FEWEST_FOR_INTERVAL, PPI, corrected_mean


def corrected_aggregate(scores: Iterable[Score]) -> Aggregate:
    """Correct the mean by PPI++; see `corrected_mean`.

    No value without two labels: the judge's own mean would stand there as if it were corrected. No
    interval below 50 labels: it would be too narrow. If all answers have labels, their mean.
    """
    labels: list[float] = []
    judged: list[float] = []
    others: list[float] = []
    n_scored = 0
    for score in scores:
        n_scored += 1
        for place in range(0, len(score.parts), 3):
            value, has_label, label = score.parts[place : place + 3]
            if has_label:
                labels.append(label)
                judged.append(value)
            else:
                others.append(value)
    if len(labels) < 2:
        return Aggregate(value=None, n_scored=n_scored)
    if not others:
        return Aggregate(value=sum(labels) / len(labels), n_scored=n_scored)
    corrected = corrected_mean(labels, judged, others)
    assert corrected is not None
    is_enough = len(labels) >= FEWEST_FOR_INTERVAL
    return Aggregate(
        value=corrected.estimate,
        stderr=corrected.stderr,
        stderr_method=f"{PPI}, {len(labels)} labels, weight {corrected.weight:.2f}",
        n_scored=n_scored,
        interval=corrected.interval() if is_enough else None,
        interval_method=PPI if is_enough else None,
    )
