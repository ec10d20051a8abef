"""How the judges of a task judged, from what the journal has of its samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from llmeval_core.hooks import Json, SampleResult
from llmeval_judges.rank_correlation import spearman

_MOST_EXAMPLES = 5


@dataclass(slots=True)
class Judgements:
    """What one metric that judges says of a task, sample by sample put together.

    Args:
        n: samples with a verdict.
        verdicts: how often each was given, by all jurors.
        lacks: why jurors gave none, though the jury did.
        n_split: samples on which jurors differ; None if there is only one.
        flips: for pairs, the share of flips of each sample.
        suspicious: ids of samples whose answers speak to a judge, with what they say.
        values, lengths: of each sample, the number and how long its answer is (of pairs: how much
            longer than the other).
    """

    n: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    lacks: Counter[str] = field(default_factory=Counter)
    n_split: int | None = None
    flips: list[float] = field(default_factory=list)
    suspicious: list[tuple[str, str]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)

    def add(self, sample_id: str, value: float | None, details: Mapping[str, Json]) -> None:
        """Take in what is kept of one sample."""
        self.n += 1
        jurors = [one for one in _flat(details.get("jury")) if isinstance(one, dict)]
        said = [labels for one in jurors if (labels := _labels(one))]
        self.verdicts.update(label for labels in said for label in labels)
        self.lacks.update(str(one["no_verdict"]) for one in jurors if "no_verdict" in one)
        if len(jurors) > 1:
            self.n_split = (self.n_split or 0) + (len(set(said)) > 1)
        flips = details.get("flips")
        if isinstance(flips, float | int):
            self.flips.append(float(flips))
        speaks = details.get("speaks_to_judge")
        if isinstance(speaks, str):
            self.suspicious.append((sample_id, speaks))
        length, other = details.get("n_characters"), details.get("n_characters_other", 0)
        if value is not None and isinstance(length, int) and isinstance(other, int):
            self.values.append(value)
            self.lengths.append(float(length - other))

    @property
    def length_correlation(self) -> float | None:
        """Rank correlation of the number with length; None if it cannot be told."""
        return spearman(self.values, self.lengths)

    @property
    def flip_rate(self) -> float | None:
        """Share of flips; None if no pairs are compared."""
        return sum(self.flips) / len(self.flips) if self.flips else None

    def as_json(self) -> dict[str, Json]:
        """Return all of it."""
        return {
            "n": self.n,
            "verdicts": dict(self.verdicts.most_common()),
            "without_verdict": dict(self.lacks.most_common()),
            "n_split": self.n_split,
            "flip_rate": self.flip_rate,
            "n_suspicious": len(self.suspicious),
            "suspicious": [[sample_id, said] for sample_id, said in self.suspicious],
            "length_correlation": self.length_correlation,
        }

    def lines(self, metric: str) -> list[str]:
        """Write it for people to read."""
        given = ", ".join(f"{n} × {label}" for label, n in self.verdicts.most_common())
        lines = [f"{metric}: {self.n} samples judged", f"  verdicts      {given}"]
        if self.lacks:
            lacking = ", ".join(f"{lack} {n}" for lack, n in self.lacks.most_common())
            lines.append(f"  missing       {lacking} (single jurors)")
        if self.n_split is not None:
            lines.append(f"  jurors differ {self.n_split} of {self.n} samples")
        if self.flip_rate is not None:
            lines.append(f"  flips         {self.flip_rate:.3f} of verdicts go with the place")
        if self.length_correlation is not None:
            lines.append(f"  length        {self.length_correlation:+.3f} (rank correlation)")
        share = len(self.suspicious) / self.n if self.n else 0.0
        lines.append(f"  suspicious    {share:.3f} of answers speak to a judge")
        lines += [f"    {one}: {said}" for one, said in self.suspicious[:_MOST_EXAMPLES]]
        return lines


@dataclass(slots=True)
class TaskJudgements:
    """All judging metrics of one task.

    Args:
        metrics: by name.
        unscored: why samples have no verdict, and how many.
        served_by: who judged, by role, in the servers' own words.
    """

    metrics: dict[str, Judgements] = field(default_factory=dict)
    unscored: Counter[str] = field(default_factory=Counter)
    served_by: dict[str, set[str]] = field(default_factory=dict)


def read_judgements(results: Iterable[SampleResult]) -> TaskJudgements:
    """Put together what the samples of a task say."""
    found = TaskJudgements()
    for result in results:
        for turn in result.turns:
            if turn.role != "model" and turn.generation.served_by:
                found.served_by.setdefault(turn.role, set()).add(turn.generation.served_by)
        if result.outcome == "unscored" or result.metric_failures:
            found.unscored.update(map(_without_what_was_said, result.reasons))
        for name, score in result.scores.items():
            if isinstance(score.details, dict) and "jury" in score.details:
                judged = found.metrics.setdefault(name, Judgements())
                judged.add(result.sample.id, score.value, score.details)
    return found


def _without_what_was_said(message: str) -> str:
    """Leave of a message the metric and the reason, so that equal reasons are counted together."""
    return ": ".join(message.split(": ", maxsplit=2)[:2])


def _flat(jury: Json) -> Iterable[Json]:
    """List the jurors; of several answers to a sample those of each."""
    for one in jury if isinstance(jury, list) else ():
        if isinstance(one, list):
            yield from one
        else:
            yield one


def _labels(juror: Mapping[str, Json]) -> tuple[str, ...]:
    if "verdict" in juror:
        return (str(juror["verdict"]),)
    given = juror.get("verdicts")
    return tuple(str(label) for label in given) if isinstance(given, list) else ()
