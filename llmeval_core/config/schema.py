"""The shape of the run file. Every key has its meaning in `description`, for `llmeval schema`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from llmeval_core.config.bounds import (
    BudgetConfig,
    LimitsConfig,
    PriceConfig,
    RetryConfig,
    TimeoutConfig,
)
from llmeval_core.config.extract_config import ExtractConfig, checked_pattern, extract_rules
from llmeval_core.config.key_names import VariantName
from llmeval_core.config.problems import HintedValueError
from llmeval_core.config.request_config import (
    FewShotConfig,
    GenerationConfig,
    PromptConfig,
)
from llmeval_core.config.settings import ComponentConfig, Settings, TrackerConfig

AnswerBy = Literal["auto", "generation", "letter", "loglikelihood"]
TruncatedAnswers = Literal["score", "exclude"]


def _tag(text: str) -> str:
    if not text.strip():
        raise HintedValueError("a tag is not empty", "write it as the model does: '<think>'")
    return text


_Tag = Annotated[
    str, AfterValidator(_tag), Field(json_schema_extra={"minLength": 1, "pattern": r"\S"})
]
_ReasoningTags = tuple[tuple[_Tag, _Tag], ...]
_TAGS_MEAN = (
    "Pairs of an opening and a closing tag between which reasoning stands, which is not judged;"
    " all known ones if left out, none if empty."
)


_MODEL_NAME = re.compile(r"^[^\s/]+/.+$")
_OPENAI_NAME = re.compile(r"(chatgpt|gpt|o\d|text|davinci|babbage)\b")


def _with_provider(name: str) -> str:
    """Say how a model without a provider is written."""
    if _OPENAI_NAME.match(name):
        return f"did you mean 'openai/{name}'?"
    return "name the provider too, as in 'openai/gpt-4o-mini'; `llmeval models` lists them"


class ModelConfig(BaseModel):
    """A model as `provider/model`, with the provider's settings beside the name."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    name: str = Field(
        examples=["openai/gpt-4o-mini"],
        description="`provider/model`.",
        json_schema_extra={"pattern": _MODEL_NAME.pattern},
    )
    provider: str | None = Field(
        default=None,
        description="The provider to use if it is not the part of the name before the slash.",
    )
    generation: GenerationConfig | None = Field(
        examples=[{"max_tokens": 256}],
        default=None,
        description="Generation settings for this model only.",
    )
    limits: LimitsConfig | None = Field(
        examples=[{"requests_per_minute": 60}],
        default=None,
        description="What this model's server allows.",
    )
    reasoning_tags: _ReasoningTags | None = Field(
        examples=[[["<think>", "</think>"]]], default=None, description=_TAGS_MEAN
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:  # Any: pydantic hands over what the file has
        return {"name": value} if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _has_provider(cls, name: str) -> str:
        if not _MODEL_NAME.match(name):
            what = f"'{name}' is not of the form provider/model"
            raise HintedValueError(what, _with_provider(name))
        return name

    @property
    def settings(self) -> dict[str, Any]:
        """The provider's own settings, as written, `${NAME}` not yet replaced."""
        return dict(self.__pydantic_extra__ or {})


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


class TaskConfig(Settings):
    """One data set, asked with each number of shots."""

    dataset: ComponentConfig = Field(examples=["commonsense_qa"], description="The data set.")
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
    reasoning_tags: _ReasoningTags | None = Field(
        examples=[[["<think>", "</think>"]]], default=None, description=_TAGS_MEAN
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

    @field_validator("extract")
    @classmethod
    def _compiles(cls, extract: ExtractConfig | None) -> ExtractConfig | None:
        for rule in extract_rules(extract) if extract is not None else ():
            if isinstance(rule, str):
                checked_pattern(rule)
        return extract


class RunConfig(Settings):
    """A run: models x tasks, with trackers that receive the results."""

    models: tuple[ModelConfig, ...] = Field(
        examples=[["openai/gpt-4o-mini"]], min_length=1, description="The models."
    )
    tasks: tuple[TaskConfig, ...] = Field(
        examples=[[{"dataset": "commonsense_qa"}]], min_length=1, description="The tasks."
    )
    metrics: tuple[ComponentConfig, ...] | None = Field(
        examples=[["exact_match"]], default=None, description="Metrics of tasks that name none."
    )
    trackers: tuple[TrackerConfig, ...] = Field(
        examples=[["mlflow"]], default=(), description="Result sinks."
    )
    executor: ComponentConfig | None = Field(
        examples=["ray"],
        default=None,
        description="Where requests are answered; this process if left out.",
    )
    generation: GenerationConfig = Field(
        examples=[{"max_tokens": 256}],
        default=GenerationConfig(),
        description="Generation settings of all tasks.",
    )
    reasoning_tags: _ReasoningTags | None = Field(
        examples=[[["<think>", "</think>"]]], default=None, description=_TAGS_MEAN
    )
    truncated: TruncatedAnswers = Field(
        default="score",
        description="Answers that were cut off: judged by what there is, or left out of the"
        " aggregates, which then are only bounds.",
    )
    limit: int | None = Field(
        examples=[100], default=None, ge=1, description="First n samples of each task."
    )
    replace: bool = Field(
        default=False,
        description="Whether results take the place of more complete ones; without it a run "
        "with a limit leaves a full one in the leaderboard.",
    )
    seed: int = Field(default=0, description="Decides every random choice of ours.")
    concurrency: int | None = Field(
        examples=[32],
        default=None,
        ge=1,
        description="Requests under way at once to one server; found out while asking if left out.",
    )
    max_concurrency: int = Field(
        default=256, ge=1, description="Most requests under way where `concurrency` is left out."
    )
    limits: LimitsConfig = Field(
        examples=[{"requests_per_minute": 60}],
        default=LimitsConfig(),
        description="What each server allows; a model can have its own.",
    )
    prices: dict[str, PriceConfig] = Field(
        examples=[{"openai/gpt-4o*": {"input": 2.5, "output": 10}}],
        default={},
        description="What tokens cost, by model; `*` stands for any text: `openai/gpt-4o*`.",
    )
    budget: BudgetConfig = Field(
        examples=[{"cost": 5}], default=BudgetConfig(), description="When to stop spending."
    )
    max_samples_failed: float | None = Field(
        examples=[10],
        default=None,
        ge=0,
        description="Failed samples that a task may have; below 1 a part of its samples.",
    )
    fail_fast: bool = Field(default=False, description="Whether the first failure ends the run.")
    give_up_after: int = Field(
        default=20, ge=1, description="Failed samples in a row that end a model's run."
    )
    retry: RetryConfig = Field(
        examples=[{"max_attempts": 3}],
        default=RetryConfig(),
        description="How requests are repeated.",
    )
    timeouts: TimeoutConfig = Field(
        examples=[{"request_s": 60}], default=TimeoutConfig(), description="How long things take."
    )

    @field_validator("models")
    @classmethod
    def _each_once(cls, models: tuple[ModelConfig, ...]) -> tuple[ModelConfig, ...]:
        names = [model.name for model in models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"model '{twice[0]}' is listed twice")
        return models
