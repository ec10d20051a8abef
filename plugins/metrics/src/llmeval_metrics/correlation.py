"""pearson and spearman: do the answered numbers go with the right ones?"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from pydantic import Field

from llmeval_core.hooks import Aggregate, Generation, Sample, Score, Settings
from llmeval_metrics.normalization import nfkc
from llmeval_metrics.per_text import texts_of

_NOT_NUMERIC = re.compile(r"[^0-9.]")
_UNPARSED = -2.0
_SPREAD = {"pearson": 1.0, "spearman": 1.06}
_METHODS = {
    "pearson": "(1 - r^2) / sqrt(n - 3) (Fisher's z, Metron 1, 1921; delta method)",
    "spearman": "(1 - r^2) * sqrt(1.06 / (n - 3)) (Fisher's z with the variance of Fieller, "
    "Hartley and Pearson, Biometrika 44, 1957; delta method)",
}


class CorrelationSettings(Settings):
    """What happens to answers without a number."""

    unparsed: Literal["minus_two", "leave_out"] = Field(
        default="minus_two",
        description="Count them as -2, as llm-jp-eval does, or leave them out, and read numbers "
        "with their signs.",
    )


class Correlation:
    """The correlation of answered and right numbers over all samples, -1 to 1.

    Source: llm-jp-eval v1.3: of an answer all but digits and points is dropped (a minus too),
    what is then no number counts as -2.0, and an undefined correlation (all equal) as 0.
    `spearman` uses mean ranks for ties (as scipy.stats.spearmanr 1.17). With `leave_out`, our own
    definition, numbers are read as `numeric_match` reads them, with their signs, and an undefined
    correlation has no value. A sample has no value of its own; of several answers the
    first counts, because the mean of answers would correlate better than each.
    """

    higher_is_better = True

    def __init__(self, kind: Literal["pearson", "spearman"], settings: CorrelationSettings) -> None:
        self._kind = kind
        self._leave_out = settings.unparsed == "leave_out"
        self._parse = _number_parser(leave_out=self._leave_out)
        owner = "llmeval-parsed-2" if self._leave_out else "llm-jp-1"
        self.definition = f"{kind}@{owner}"

    def score(self, sample: Sample, generation: Generation) -> Score:
        """Parse the answer and the reference.

        Raises:
            ValueError: the sample has no reference with a number, or the generation no text.
        """
        parse = self._parse
        wanted = _reference_number(sample.references[0], parse) if sample.references else None
        if wanted is None:
            raise ValueError("the sample has no reference with a number")
        found = parse(texts_of(generation)[0])
        if found is None:
            return Score(None, None, () if self._leave_out else (_UNPARSED, wanted))
        return Score(None, f"{found:.15g}", (found, wanted))

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Correlate the pairs; keeps 16 bytes for each sample, more for `spearman`."""
        found, wanted = array("d"), array("d")
        for score in scores:
            if score.parts:
                found.append(score.parts[0])
                wanted.append(score.parts[1])
        n = len(found)
        if n < 2:
            return Aggregate(value=None, n_scored=n)
        value = self._correlate(found, wanted)
        if value is None:
            return Aggregate(value=None if self._leave_out else 0.0, n_scored=n)
        if n <= 3:
            return Aggregate(value=value, n_scored=n)
        stderr = (1 - value**2) * math.sqrt(_SPREAD[self._kind] / (n - 3))
        method = _METHODS[self._kind]
        return Aggregate(value=value, stderr=stderr, stderr_method=method, n_scored=n)

    def _correlate(self, found: Sequence[float], wanted: Sequence[float]) -> float | None:
        if self._kind == "spearman":
            return pearson(ranks(found), ranks(wanted))
        return pearson(found, wanted)


def _number_parser(*, leave_out: bool) -> Callable[[str], float | None]:
    if not leave_out:
        return parse_number
    # Late: compiling its patterns would slow down the start of every run.
    from llmeval_metrics.number_parsing import last_number  # noqa: PLC0415

    return last_number


def parse_number(text: str) -> float | None:
    """Keep digits and points, and read a number; None if it is none."""
    try:
        number = float(_NOT_NUMERIC.sub("", nfkc(text)))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _reference_number(text: str, parse: Callable[[str], float | None]) -> float | None:
    """Read a reference as it stands, with its sign; else as an answer is read."""
    try:
        number = float(nfkc(text))
    except ValueError:
        return parse(text)
    return number if math.isfinite(number) else None


def pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Return Pearson's r; None where it is not defined, because all numbers of a side are equal.

    Both sides are scaled to at most 1 first, so that squares of huge or tiny numbers stay floats.
    """
    x_parts, y_parts = _centred(xs), _centred(ys)
    spread_x = math.fsum(x * x for x in x_parts)
    spread_y = math.fsum(y * y for y in y_parts)
    common = math.fsum(x * y for x, y in zip(x_parts, y_parts, strict=True))
    spread = math.sqrt(spread_x) * math.sqrt(spread_y)
    return max(-1.0, min(1.0, common / spread)) if spread > 0 else None


def _centred(values: Sequence[float]) -> Sequence[float]:
    """Scale values so that the largest distance from the mean is 1, and take the mean from them."""
    largest = max(map(abs, values))
    if not largest:
        return values
    mean = math.fsum(value / largest for value in values) / len(values)
    distances = array("d", (value / largest - mean for value in values))
    farthest = max(map(abs, distances))
    return array("d", (distance / farthest for distance in distances)) if farthest else distances


def ranks(values: Sequence[float]) -> Sequence[float]:
    """Return ranks from 1, the mean rank for ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = array("d", bytes(8 * len(values)))
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in range(start, end + 1):
            ranked[order[place]] = (start + end) / 2 + 1
        start = end + 1
    return ranked
