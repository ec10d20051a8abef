"""How far a judge can be trusted: its verdicts beside those of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from llmeval_core.hooks import Score, mean_aggregate
from llmeval_judges.prediction_powered import FEWEST_FOR_INTERVAL, CorrectedMean, corrected_mean
from llmeval_judges.rank_correlation import partial_spearman
from llmeval_judges.rater_agreement import (
    Weights,
    base_rate,
    cohen_kappa,
    observed_agreement,
)
from llmeval_judges.scale import Level, Scale

STRONG_BIAS = 0.3
"""A rank correlation with length that is told as a bias, from this on either way."""
_MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """One answer, with what a person and a judge say of it.

    Args:
        id: of the line with the label.
        answer: the answer's beginning, for people to read.
        label: the person's verdict; None if no person has judged it.
        verdict: the judge's; None if it gave none.
        reason: the judge's words; or why it gave no verdict.
        n_characters: how long the answer is; of a pair, how much longer than the other.
        given: of a pair, the verdicts in both orders.
    """

    id: str
    answer: str
    label: Level | None
    verdict: Level | None
    reason: str = ""
    n_characters: int = 0
    given: tuple[str, ...] = ()

    @property
    def flips(self) -> bool:
        """Whether the same place wins in both orders."""
        return len(self.given) == 2 and self.given[0] == self.given[1] != "tie"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check finds; what cannot be told is None.

    Args:
        n: answers; `n_labelled` of them have a label, `n_unscored` no verdict.
        n_compared: answers with both.
        agreement: share of these on which both say the same, with its 95 % interval.
        base_rate: share of the most frequent label: what who always says that would agree.
        most_frequent: that label.
        kappa: agreement beyond chance; `weights` says how disagreements are weighed.
        confusion: how often each verdict comes with each label, by (label, verdict).
        label_mean, verdict_mean: over what has both.
        judged_mean: the judge's mean over all that it gave a verdict on.
        corrected: that mean, corrected by the labels; None if all or less than two have one.
        length_bias: rank correlation of the judge's verdict with an answer's length (of pairs: how
            much longer it is than the other), beyond what the labels explain.
        n_flips: pairs whose verdict goes with the place; None if there are no pairs.
        n_first: those of them that go to the first place.
        examples: disagreements, the widest first.
        lacking: answers without a verdict.
    """

    n: int
    n_labelled: int
    n_unscored: int
    n_compared: int
    agreement: float | None
    agreement_interval: tuple[float, float] | None
    base_rate: float | None
    most_frequent: str | None
    kappa: float | None
    weights: Weights
    confusion: tuple[tuple[str, str, int], ...]
    label_mean: float | None
    verdict_mean: float | None
    judged_mean: float | None
    corrected: CorrectedMean | None
    length_bias: float | None
    n_flips: int | None
    n_first: int | None
    examples: tuple[CheckedAnswer, ...]
    lacking: tuple[CheckedAnswer, ...]

    @property
    def warnings(self) -> list[str]:
        """What a reader must not overlook, a sentence each."""
        found = []
        if self.n_compared < FEWEST_FOR_INTERVAL:
            found.append(
                f"{self.n_compared} labels are few: below {FEWEST_FOR_INTERVAL} these numbers move"
                " a lot from one draw to the next"
            )
        if self.agreement is not None and self.base_rate is not None:
            if self.agreement <= self.base_rate:
                found.append(
                    f"the judge agrees no more often than who always says '{self.most_frequent}'"
                )
            if self.kappa is None:
                found.append("kappa says nothing: both give one and the same verdict everywhere")
        if self.n_unscored:
            found.append(f"{self.n_unscored} of {self.n} answers got no verdict")
        if self.length_bias is not None and abs(self.length_bias) >= STRONG_BIAS:
            which = "longer" if self.length_bias > 0 else "shorter"
            found.append(f"the judge favours {which} answers more than people do")
        if self.n_flips is not None and self.n_flips * 5 >= self.n - self.n_unscored > 0:
            found.append("a fifth of the verdicts or more go with the place, not with the answer")
        return found


def make_report(checked: Sequence[CheckedAnswer], scale: Scale, weights: Weights) -> CheckReport:
    """Compare a judge's verdicts with those of people."""
    both = [
        (one, one.label, one.verdict)
        for one in checked
        if one.label is not None and one.verdict is not None
    ]
    labels = [scale.levels.index(label) for _, label, _ in both]
    verdicts = [scale.levels.index(verdict) for _, _, verdict in both]
    same = mean_aggregate(Score(float(a == b)) for a, b in zip(labels, verdicts, strict=True))
    counts = Counter(zip(labels, verdicts, strict=True))
    judged = [one.verdict.value for one in checked if one.verdict is not None]
    human, machine = [label.value for _, label, _ in both], [said.value for _, _, said in both]
    others = [one.verdict.value for one in checked if one.verdict and one.label is None]
    pairs = [one for one in checked if one.given and one.verdict is not None]
    are_pairs = any(len(one.given) == 2 for one in checked)
    flips = [one for one in pairs if one.flips]
    return CheckReport(
        n=len(checked),
        n_labelled=sum(one.label is not None for one in checked),
        n_unscored=sum(one.verdict is None for one in checked),
        n_compared=len(both),
        agreement=observed_agreement(labels, verdicts),
        agreement_interval=same.interval,
        base_rate=base_rate(labels),
        most_frequent=scale.labels[Counter(labels).most_common(1)[0][0]] if labels else None,
        kappa=cohen_kappa(labels, verdicts, weights=weights),
        weights=weights,
        confusion=tuple(
            (scale.labels[a], scale.labels[b], count) for (a, b), count in sorted(counts.items())
        ),
        label_mean=_mean(human),
        verdict_mean=_mean(machine),
        judged_mean=_mean(judged),
        corrected=corrected_mean(human, machine, others),
        length_bias=partial_spearman(
            machine, [float(one.n_characters) for one, _, _ in both], human
        ),
        n_flips=len(flips) if are_pairs else None,
        n_first=sum(one.given[0] == "first" for one in flips) if are_pairs else None,
        examples=_examples(both, scale),
        lacking=tuple(one for one in checked if one.verdict is None)[:_MOST_EXAMPLES],
    )


def _examples(
    both: Sequence[tuple[CheckedAnswer, Level, Level]], scale: Scale
) -> tuple[CheckedAnswer, ...]:
    """Take the widest disagreements, of equal ones the first."""

    def width(item: tuple[CheckedAnswer, Level, Level]) -> int:
        return abs(scale.levels.index(item[1]) - scale.levels.index(item[2]))

    apart = sorted((item for item in both if item[1] != item[2]), key=width, reverse=True)
    return tuple(one for one, _, _ in apart[:_MOST_EXAMPLES])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
