"""The settings of judges."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from llmeval_core.hooks import MODEL, Settings

_PATH_OR_NAME: dict[str, Any] = {"format": "path-or-name"}  # a server's policy looks at it
_Role = Annotated[str, Field(pattern=r"^[^\s/:]+$")]


class VerdictSettings(Settings):
    """How a judge gives its verdict."""

    verdict_by: Literal["auto", "schema", "tool", "text"] = Field(
        default="auto",
        description="How a judge gives its verdict: held to a JSON Schema, by a tool, or in words;"
        " auto: the first of these that its server accepts.",
    )
    ask_again: bool = Field(
        default=True, description="Ask once more where no verdict can be read in what a judge said."
    )
    max_reason: int | None = Field(
        default=None,
        ge=20,
        description="Most characters of a reason, for the schema: a small model may not find an end"
        " by itself. Some servers take no such schema.",
    )


class JurySettings(VerdictSettings):
    """Who judges, and how."""

    judges: tuple[_Role, ...] = Field(
        default=("judge",),
        min_length=1,
        max_length=20,
        description="The roles of the run file that judge; several are a jury.",
    )
    repeats: int = Field(
        default=1,
        ge=1,
        le=20,
        description="How often each judge is asked; give it a `temperature` above 0 for that.",
    )
    combine: Literal["auto", "mean", "majority"] = Field(
        default="auto",
        description="How verdicts of a jury become one: their mean, or what most say; auto: the"
        " mean of points, the majority of words.",
    )

    @field_validator("judges", mode="before")
    @classmethod
    def _as_roles(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("judges")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse a juror who is nobody else: it would agree with itself, and count twice."""
        if len(set(value)) < len(value):
            raise ValueError("a role is named twice; `repeats` asks each judge several times")
        if MODEL in value:
            raise ValueError(
                f"the role `{MODEL}` has whichever model is evaluated; a judge has a role of its"
                " own, also if the same model has both"
            )
        return value


class RubricJudgeSettings(JurySettings):
    """How answers are judged one by one."""

    rubric: str = Field(
        default="correctness",
        description="A rubric of `llmeval judge rubrics`, or the path of your own: a .yaml file.",
        json_schema_extra=_PATH_OR_NAME,
    )
    number: Literal["score", "corrected", "agreement"] = Field(
        default="score",
        description="What is reported: the verdicts; their mean corrected by `labels`; or how far"
        " the jury agrees (Krippendorff's alpha). The judges are asked only once for all of them.",
    )
    labels: Path | None = Field(
        default=None,
        description="People's verdicts on some of the answers, for `number: corrected`; a JSON"
        " Lines file as `llmeval judge check` takes it.",
    )
    context_key: str = Field(
        default="context", description="Where in a sample's metadata the context is."
    )
    script_key: str | None = Field(
        default=None,
        description="Where in a sample's metadata the user's next turns are, such as follow_ups,"
        " if all answers of a conversation are judged: `solver: {use: conversation, judge: all}`."
        " Left out, a judge sees the conversation that the judged answer ended.",
    )


class PairwiseJudgeSettings(JurySettings):
    """How answers are compared with others."""

    rubric: str = Field(
        default="preference",
        description="A rubric with the verdicts first, tie and second, such as ja_preference.",
        json_schema_extra=_PATH_OR_NAME,
    )
    against: str = Field(
        default="reference",
        description="What answers are compared with: `reference`; a JSON Lines file with the"
        " answers of another model, as `llmeval samples TASK --json` prints it; or the name of"
        " another model, whose answers are in the journal.",
        json_schema_extra=_PATH_OR_NAME,
    )
    against_task: str | None = Field(
        default=None, description="The task whose answers are taken from the journal."
    )
    home: Path | None = Field(
        default=None,
        description="The project's folder with that journal; LLMEVAL_HOME, or .llmeval, if left"
        " out. A run's `--home` is not known here.",
    )
    number: Literal["score", "flips", "agreement"] = Field(
        default="score",
        description="What is reported: the share of wins, a tie being a half; how often a verdict"
        " flips with the order; or how far the jury agrees (Krippendorff's alpha).",
    )
    context_key: str = Field(
        default="context", description="Where in a sample's metadata the context is."
    )


class ChoiceJudgeSettings(JurySettings):
    """How the choice is found that an answer means."""

    language: Literal["en", "ja"] = Field(default="en", description="What the judge is told in.")


class JudgeCheckSettings(VerdictSettings):
    """How a judge is compared with people."""

    labels: Path = Field(
        description="People's verdicts: a JSON Lines file with input, answer and label; reference"
        " and context, if the rubric needs them; other, for pairs."
    )
    rubric: str = Field(
        default="correctness",
        description="A rubric of `llmeval judge rubrics`, or the path of your own: a .yaml file.",
        json_schema_extra=_PATH_OR_NAME,
    )
    context_key: str = Field(
        default="context", description="Where in a sample's metadata the context is."
    )
