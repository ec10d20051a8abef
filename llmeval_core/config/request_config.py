"""The part of the run file that says how a sample becomes a request."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from llmeval_core.config.problems import HintedValueError
from llmeval_core.config.settings import Settings
from llmeval_core.naming import Json

Examples = Literal["turns", "text", "template"]
LM_EVAL_SEED = 1234
"""What `lm_eval` draws examples with, unless it is told otherwise."""


class ReasoningConfig(Settings):
    """How much a model thinks before it answers; how that is written is up to the provider."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = Field(
        examples=["low"], default=None, description="In the words of OpenAI."
    )
    budget: int | None = Field(
        examples=[1024], default=None, ge=0, description="Most tokens to think."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:  # Any: pydantic hands over what the file has
        return {"effort": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.effort is None and self.budget is None:
            raise ValueError("`reasoning` wants `effort` or `budget`; write `null` to send nothing")
        return self


class GenerationConfig(Settings):
    """How answers are generated.

    A key that is left out is decided further up; one that is `null` is not sent at all.
    """

    max_tokens: int | None = Field(
        examples=[256], default=None, ge=1, description="Most tokens to generate."
    )
    temperature: float | None = Field(examples=[0], default=None, ge=0, description="0 is greedy.")
    top_p: float | None = Field(
        examples=[0.9], default=None, gt=0, le=1, description="Nucleus sampling mass."
    )
    seed: int | None = Field(
        examples=[1], default=None, description="Seed of the model's own sampling."
    )
    stop: tuple[str, ...] | None = Field(
        examples=[["\n"]], default=None, description="Texts that end the generation."
    )
    n: int | None = Field(examples=[4], default=None, ge=1, description="Answers per sample.")
    reasoning: ReasoningConfig | None = Field(
        examples=["low"], default=None, description="How much the model thinks before it answers."
    )
    extra_body: dict[str, Any] | None = Field(  # Any: whatever JSON the server takes
        examples=[{"top_k": 20}],
        default=None,
        description="More keys for the JSON of each request; laid over those of the model.",
    )

    @field_validator("extra_body")
    @classmethod
    def _is_taken_literally(cls, body: dict[str, Any] | None) -> dict[str, Any] | None:
        if "${" in str(body):
            raise ValueError(
                "`${NAME}` is not replaced here; use the `extra_body` beside the model's name"
            )
        return body


class PromptConfig(Settings):
    """How a sample becomes a request; a key that is left out is decided by the data set.

    Templates are Jinja2 and see `id`, `input`, `messages`, `references`, `choices`, `answer`,
    `letter`, `letters`, `category` and `metadata`.
    """

    mode: Literal["chat", "completion"] | None = Field(
        default=None, description="Messages, or one text to continue; chat where the model can."
    )
    system: str | None = Field(default=None, description="The system message, a template.")
    preamble: str | None = Field(
        default=None, description="Text before the examples, a template; part of the first turn."
    )
    template: str | None = Field(default=None, description="The question, a template.")
    answer: str | None = Field(
        default=None, description="The answer in an example, a template; follows the question."
    )
    continuation: str | None = Field(
        default=None, description="One choice as a continuation, a template that sees `choice`."
    )
    separator: str | None = Field(
        default=None, description="Between preamble, examples and question."
    )
    examples: Examples | None = Field(
        default=None,
        description="Examples as turns of the chat, in one text, or by the template itself, "
        "which then sees `examples` (each with `input`, `output` and the rest).",
    )


class FewShotConfig(Settings):
    """Where the examples of a few-shot prompt come from."""

    select: Literal["random", "first", "lm-eval"] = Field(
        default="random",
        description="By (seed, sample id), the first n of the pool, or drawn as lm-eval draws.",
    )
    pool_size: int = Field(
        default=1000,
        ge=1,
        description="How many samples of the pool are kept in memory; all with lm-eval.",
    )
    seed: int | None = Field(
        default=None, description="What draws with lm-eval; its own 1234 if left out."
    )
    one_more: bool | None = Field(
        default=None,
        description="With lm-eval: whether one more example is drawn and the sample itself left"
        " out, as where its test split is its few-shot split or it names neither. Found out by"
        " whether the pool is the samples themselves, if left out.",
    )

    @property
    def draw_seed(self) -> int:
        """What draws with lm-eval."""
        return LM_EVAL_SEED if self.seed is None else self.seed

    @model_validator(mode="after")
    def _fits_select(self) -> Self:
        named = self.model_fields_set
        if self.select == "lm-eval" and "pool_size" in named:
            raise HintedValueError(
                "`pool_size` would cut the pool, and lm-eval draws from all of it",
                "leave `pool_size` out",
            )
        foreign = [key for key in ("seed", "one_more") if key in named]
        if self.select != "lm-eval" and foreign:
            raise HintedValueError(
                f"`{foreign[0]}` says how lm-eval draws, and `select` is {self.select}",
                "add `select: lm-eval`, or leave it out",
            )
        return self

    def as_json(self) -> dict[str, Json]:
        """Return what decides the examples, for fingerprints."""
        if self.select == "lm-eval":
            return {"select": self.select, "seed": self.draw_seed, "one_more": self.one_more}
        return {"select": self.select, "pool_size": self.pool_size}
