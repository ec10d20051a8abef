"""numeric_match: is the last number of the answer the right one?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from llmeval_core.hooks import ConfigError, Metric, Sample, Score, Settings
from llmeval_metrics.per_text import MAJORITY, VotingMetric

if TYPE_CHECKING:
    from llmeval_metrics.number_parsing import Number

_TOLERANCE = 1e-6


class NumericSettings(Settings):
    """How numbers are compared."""

    tolerance: float = Field(
        default=_TOLERANCE,
        ge=0,
        description="Relative tolerance of the builtin engine. At the default, whole numbers are "
        "compared digit by digit.",
    )
    engine: Literal["builtin", "math_verify"] = Field(
        default="builtin",
        description="builtin finds decimal numbers and fractions; math_verify also formulas.",
    )
    majority: bool = Field(default=False, description=MAJORITY)


def make_numeric_match(settings: NumericSettings) -> Metric:
    """Make the metric with the chosen engine.

    Raises:
        ConfigError: math-verify is not installed, or has a setting of the builtin engine.
    """
    if settings.engine == "builtin":
        return NumericMatch(settings)
    if settings.majority or settings.tolerance != _TOLERANCE:
        raise ConfigError(
            "`majority` and `tolerance` of numeric_match go with `engine: builtin`",
            hint="leave them out, or take the builtin engine",
        )
    from llmeval_metrics.math_verify_match import MathVerifyMatch  # noqa: PLC0415  needs asyncio

    return MathVerifyMatch()


class NumericMatch(VotingMetric):
    """1 if the number that the answer ends with equals a reference's, else 0.

    See `number_parsing.find_number` for what is a number; a reference may be GSM8K's solution
    with `#### 18`, and so may the answer. Source: the "flexible-extract" filter of
    lm-evaluation-harness 0.4.13 for GSM8K (the last number). Deviations: numbers are compared
    where that one compares texts (`18.0` is 18), and a number after `####` or in a box goes
    before a later one. Two whole numbers are equal if they have the same digits, unless a
    tolerance is set; others within 1e-6.
    """

    def __init__(self, settings: NumericSettings) -> None:
        # Late: compiling its patterns would slow down the start of every run.
        from llmeval_metrics.number_parsing import find_number  # noqa: PLC0415

        self._find = find_number
        self.definition = "numeric_match@last-2"
        self.majority = settings.majority
        if settings.tolerance != _TOLERANCE:
            self.definition += f"-rel{settings.tolerance:g}"
        if settings.majority:
            self.definition += "-majority"
        self._tolerance = settings.tolerance

    def judge(self, text: str, sample: Sample) -> Score:
        """Compare with each reference; `parsed` is the number that was found.

        Raises:
            ValueError: no reference has a number.
        """
        wanted = [number for ref in sample.references if (number := self._find(ref)) is not None]
        if not wanted:
            raise ValueError("no reference has a number")
        found = self._find(text)
        if found is None:
            return Score(0.0)
        right = any(self._are_equal(found, number) for number in wanted)
        return Score(float(right), _shown(found))

    def vote(self, text: str, sample: Sample) -> str | None:
        """Return the number that the answer ends with."""
        found = self._find(text)
        return None if found is None else _shown(found)

    def _are_equal(self, found: Number, wanted: Number) -> bool:
        if found.digits and wanted.digits and self._tolerance == _TOLERANCE:
            return found.digits == wanted.digits
        return math.isclose(found.value, wanted.value, rel_tol=self._tolerance, abs_tol=1e-12)


def _shown(number: Number) -> str:
    return number.digits or f"{number.value:.15g}"
