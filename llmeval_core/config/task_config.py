"""The part of the run file that says what is asked: a data set or a ready-made task."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from llmeval_core.config.extract_config import ExtractConfig, checked_pattern, extract_rules
from llmeval_core.config.key_names import VariantName
from llmeval_core.config.problems import HintedValueError
from llmeval_core.config.request_config import (
    FewShotConfig,
    GenerationConfig,
    PromptConfig,
)
from llmeval_core.config.settings import ComponentConfig, Settings

AnswerBy = Literal["auto", "generation", "letter", "loglikelihood"]
TruncatedAnswers = Literal["score", "exclude"]


def _tag(text: str) -> str:
    if not text.strip():
        raise HintedValueError("a tag is not empty", "write it as the model does: '<think>'")
    return text


_Tag = Annotated[
    str, AfterValidator(_tag), Field(json_schema_extra={"minLength": 1, "pattern": r"\S"})
]
ReasoningTags = tuple[tuple[_Tag, _Tag], ...]
TAGS_MEAN = (
    "Pairs of an opening and a closing tag between which reasoning stands, which is not judged;"
    " all known ones if left out, none if empty."
)


def _as_shots(value: Any) -> Any:  # Any: pydantic hands over what the file has
    return (value,) if isinstance(value, int) and not isinstance(value, bool) else value


_Shots = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class TaskDefaults(Settings):
    """How a data set is asked and scored where the run file does not say."""

    prompt: PromptConfig = PromptConfig()
    answer_by: AnswerBy = "auto"
    generation: GenerationConfig = GenerationConfig()
    shots: int | None = Field(default=None, ge=0, description="Number of examples; None is 0.")
    few_shot: FewShotConfig = FewShotConfig()
    metrics: tuple[ComponentConfig, ...] = ()
    extract: ExtractConfig | None = None
    reasoning_tags: tuple[tuple[str, str], ...] | None = None


_OF_A_DATASET = (
    "prompt",
    "answer_by",
    "few_shot",
    "metrics",
    "extract",
    "reasoning_tags",
    "truncated",
    "solver",
)


class TaskConfig(Settings):
    """One data set, or one ready-made task, asked with each number of shots."""

    dataset: ComponentConfig | None = Field(
        examples=["commonsense_qa"], default=None, description="The data set."
    )
    task: ComponentConfig | None = Field(
        examples=["repeating"],
        default=None,
        description="A ready-made task in the place of a data set, with prompts and scores of its "
        "own; `llmeval tasks` lists them.",
    )
    solver: ComponentConfig | None = Field(
        examples=[{"use": "self_consistency", "n": 5}],
        default=None,
        description="How samples are answered, if not by one request; see `llmeval solvers`.",
    )
    shots: Annotated[_Shots | None, BeforeValidator(_as_shots)] = Field(
        examples=[[0, 4]],
        default=None,
        description="Numbers of examples; each makes a task. The data set's own, mostly 0, if "
        "left out.",
    )
    prompt: PromptConfig = Field(
        examples=[{"template": "Question: {{ input }}"}],
        default=PromptConfig(),
        description="How samples are asked.",
    )
    answer_by: AnswerBy | None = Field(
        default=None,
        description="Multiple choice by log-likelihood or by a letter; auto: what the model can.",
    )
    generation: GenerationConfig = Field(
        examples=[{"max_tokens": 256}],
        default=GenerationConfig(),
        description="Generation settings for this task only.",
    )
    few_shot: FewShotConfig | None = Field(
        examples=[{"select": "first"}], default=None, description="Where examples come from."
    )
    metrics: tuple[ComponentConfig, ...] | None = Field(
        examples=[["exact_match"]],
        default=None,
        description="The metrics; the run's, or the data set's own, if left out.",
    )
    extract: ExtractConfig | None = Field(
        default=None,
        description="What finds the answer in the generation: a regular expression, a rule, or a "
        "list of them, of which the first that finds something counts. null: the whole answer.",
    )
    reasoning_tags: ReasoningTags | None = Field(
        examples=[[["<think>", "</think>"]]], default=None, description=TAGS_MEAN
    )
    truncated: TruncatedAnswers | None = Field(
        default=None,
        description="Answers that were cut off: judged by what there is, or left out of the"
        " aggregates; the run's if left out.",
    )
    limit: int | None = Field(
        examples=[100], default=None, ge=1, description="First n samples only."
    )
    variant: VariantName | None = Field(
        examples=["polite"],
        default=None,
        description="A name for this way of asking or scoring, which becomes part of the key "
        "(`aio_0shot.polite_accuracy`), so that two ways stand side by side.",
    )

    @model_validator(mode="after")
    def _dataset_or_task(self) -> Self:
        if self.dataset is None and self.task is None:
            raise HintedValueError(
                "a task has no data set", "add `dataset: NAME`; `llmeval datasets` lists them"
            )
        if self.dataset is not None and self.task is not None:
            raise HintedValueError(
                "a task has both a data set and a ready-made task",
                "give one of them; two entries make two tasks",
            )
        foreign = [key for key in _OF_A_DATASET if key in self.model_fields_set]
        if self.task is not None and foreign:
            raise HintedValueError(
                f"`{foreign[0]}` is no setting of a ready-made task, which brings its own",
                "leave it out, or ask a data set with `dataset:`",
            )
        return self

    @field_validator("extract")
    @classmethod
    def _compiles(cls, extract: ExtractConfig | None) -> ExtractConfig | None:
        for rule in extract_rules(extract) if extract is not None else ():
            if isinstance(rule, str):
                checked_pattern(rule)
        return extract
