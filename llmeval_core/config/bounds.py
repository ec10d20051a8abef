"""How much, how often and how long: what bounds a run."""

from __future__ import annotations

from pydantic import Field

from llmeval_core.config.settings import Settings


class LimitsConfig(Settings):
    """What a server allows, for all models on it with the same key."""

    requests_per_minute: float | None = Field(
        examples=[60], default=None, gt=0, description="Most requests in any minute."
    )
    tokens_per_minute: float | None = Field(
        examples=[100_000],
        default=None,
        gt=0,
        description="Most tokens in any minute, read and written.",
    )


class RetryConfig(Settings):
    """How a failed request is tried again."""

    max_attempts: int = Field(default=6, ge=1, description="Attempts for one request, in all.")
    base_s: float = Field(default=0.5, gt=0, description="Longest first wait, seconds.")
    max_s: float = Field(default=30.0, gt=0, description="Longest wait, seconds.")
    budget: float = Field(
        default=1.0,
        ge=0,
        description="Retries of the whole run for each answer, besides the first 100.",
    )


class TimeoutConfig(Settings):
    """How long things may take, seconds."""

    request_s: float = Field(default=120.0, gt=0, description="One attempt of one request.")
    sample_s: float | None = Field(
        examples=[600],
        default=None,
        gt=0,
        description="One request, all attempts and waits together.",
    )
    task_s: float | None = Field(
        examples=[3600],
        default=None,
        gt=0,
        description="One task; what is not finished then has failed.",
    )
    run_s: float | None = Field(
        examples=[7200],
        default=None,
        gt=0,
        description="The whole run; what is not finished then has failed.",
    )
    unavailable_s: float = Field(
        default=300.0,
        ge=0,
        description="How long a server may be down, or ask us to wait, before its models end.",
    )
    delivery_s: float = Field(
        default=60.0, ge=0, description="Waiting for trackers at the end of a run."
    )


class PriceConfig(Settings):
    """What tokens cost, in any currency, for a million."""

    input: float = Field(examples=[2.5], ge=0, description="A million tokens read.")
    output: float = Field(default=0.0, ge=0, description="A million tokens written.")


class BudgetConfig(Settings):
    """When a run stops to spend; what is finished is kept, and the same run can go on."""

    cost: float | None = Field(
        examples=[5], default=None, gt=0, description="In the currency of the prices."
    )
    tokens: int | None = Field(
        examples=[1_000_000], default=None, ge=1, description="Tokens, read and written."
    )
