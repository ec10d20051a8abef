"""A rubric: what a judge is told to look at, and which verdicts it may give."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from llmeval_core.hooks import (
    ConfigError,
    Json,
    Settings,
    expand_path,
    fingerprint,
    read_settings_file,
)
from llmeval_judges.scale import Level, Scale, points

READY_RUBRICS = Path(__file__).parent / "rubrics"
"""Where the rubrics lie that come with this package."""

Need = Literal["reference", "context"]


class Points(Settings):
    """Whole numbers as verdicts."""

    low: int = Field(description="The worst.")
    high: int = Field(description="The best.")
    meanings: dict[int, str] = Field(default={}, description="When some of them are given.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low < self.high <= self.low + 100:
            raise ValueError("`high` is above `low`, by 100 at most")
        if any(not self.low <= number <= self.high for number in self.meanings):
            raise ValueError("`meanings` are those of numbers from `low` to `high`")
        return self


class LabelSettings(Settings):
    """One label that may be given."""

    label: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S.*$")] = Field(
        description="What the judge says."
    )
    value: float = Field(description="What it is worth.", allow_inf_nan=False)
    meaning: str = Field(default="", description="When it is given.")

    @field_validator("label", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        """Take YAML's `yes` and `no` for the words that they are."""
        return ("yes" if value else "no") if isinstance(value, bool) else value


class Rubric(Settings):
    """What an answer is judged by."""

    name: str = Field(pattern=r"^[^\s/:]+$", description="Part of the definition id.")
    version: int = Field(ge=1, description="Raised with every change; part of the definition id.")
    summary: str = Field(description="One line for lists.")
    source: str = Field(description="Where the criteria come from.")
    language: Literal["en", "ja"] = Field(default="en", description="What the judge is told in.")
    needs: tuple[Need, ...] = Field(
        default=(), description="What a sample must have besides a question."
    )
    uses: tuple[Need, ...] = Field(
        default=(), description="What a judge is also shown where a sample has it."
    )
    criteria: str = Field(min_length=1, description="What to look at, for the judge to read.")
    points: Points | None = Field(default=None, description="Whole numbers as verdicts.")
    labels: tuple[LabelSettings, ...] = Field(default=(), description="Words as verdicts.")
    ordered: bool = Field(
        default=False, description="Whether labels stand in order, the nearer the more alike."
    )
    higher_is_better: bool = Field(default=True, description="Which way is better.")

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        if (self.points is None) == (not self.labels):
            raise ValueError("give either `points` or `labels`")
        self.scale()
        return self

    def scale(self) -> Scale:
        """Return the verdicts that may be given.

        Raises:
            ValueError: there are less than two, or two are the same.
        """
        if self.points is not None:
            return points(self.points.low, self.points.high, self.points.meanings)
        levels = tuple(Level(one.label, one.value, one.meaning) for one in self.labels)
        return Scale(levels, is_ordered=self.ordered)

    def digest(self) -> str:
        """Return 8 hex digits over all that the judge is told of the rubric."""
        told: Json = [
            self.language,
            list(self.needs),
            list(self.uses),
            self.criteria,
            self.scale().as_json(),
        ]
        return fingerprint(told)[:8]


def ready_names() -> list[str]:
    """Name the rubrics that come with this package."""
    return sorted(path.stem for path in READY_RUBRICS.glob("*.yaml"))


def load_rubric(name: str) -> Rubric:
    """Load a rubric by its name, or from a YAML file by its path.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    if name in ready_names():
        return read_rubric(READY_RUBRICS / f"{name}.yaml")
    path = expand_path(name)
    if path.suffix not in (".yaml", ".yml"):
        known = ", ".join(ready_names())
        raise ConfigError(
            f"there is no rubric '{name}'",
            hint=f"there are {known}; your own is a file whose name ends in .yaml",
        )
    return read_rubric(path)


def read_rubric(path: Path) -> Rubric:
    """Read a rubric from its file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    return read_settings_file(
        path, Rubric, what="rubric", hint="`llmeval judge rubrics correctness` shows one"
    )
