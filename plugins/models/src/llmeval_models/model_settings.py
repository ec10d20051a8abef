"""What a user can set for each provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from llmeval_core.hooks import Settings
from llmeval_models.http.http_settings import BaseUrl, HttpSettings, QueryText

LikelihoodBy = Literal["none", "echo", "llama_cpp"]
ReasoningAs = Literal["auto", "openai", "openrouter", "vllm", "gemini", "anthropic", "qwen"]

_OF_SERVING = frozenset({"weights", "serve_args", "serve_command", "start_timeout_s"})
_PATH_OR_NAME: dict[str, Any] = {"format": "path-or-name"}  # a server's policy for jobs looks at
_CODE: dict[str, Any] = {"format": "code"}  # these; Any: JSON
_OWN_ARGUMENTS = frozenset({"--host", "--port", "--api-key", "--served-model-name", "--uds"})


class OpenAICompatibleSettings(HttpSettings):
    """An OpenAI-compatible server."""

    base_url: BaseUrl = Field(
        default="http://localhost:8000/v1", description="Address of the API, up to and with /v1."
    )
    max_tokens_key: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="What the server calls the most tokens of a chat answer."
    )
    seed_key: Literal["seed", "random_seed"] = Field(
        default="seed", description="What the server calls the seed."
    )
    reasoning_as: ReasoningAs = Field(
        default="auto",
        description="In whose words `generation.reasoning` is written; auto: by the host, else "
        "OpenAI's `reasoning_effort`, which knows no budget.",
    )
    loglikelihood: LikelihoodBy = Field(
        default="none",
        description="How log-likelihoods of choices are computed: `echo` as in vLLM (/completions "
        "with echo and logprobs), `llama_cpp` on llama.cpp's own server, or not at all.",
    )
    prefix_token: str | None = Field(
        default=None,
        min_length=1,
        description="With `echo`: the text of the token that stands before a text with nothing "
        "before it, such as `<s>`; if left out, the one that the server puts there by itself.",
    )


class OpenAISettings(OpenAICompatibleSettings):
    """OpenAI; what is left out comes from OPENAI_API_KEY, OPENAI_BASE_URL and the like."""

    base_url: BaseUrl = Field(
        default="https://api.openai.com/v1",
        description="Address of the API; OPENAI_BASE_URL if left out.",
    )
    organization: str | None = Field(
        default=None, description="Who is billed; OPENAI_ORG_ID if left out."
    )
    project: str | None = Field(
        default=None, description="The project; OPENAI_PROJECT_ID if left out."
    )
    max_tokens_key: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_completion_tokens", description="OpenAI's newer models know only this one."
    )


class VllmSettings(OpenAICompatibleSettings):
    """vLLM's own server, which can compute log-likelihoods; one that runs, or one of our own."""

    loglikelihood: LikelihoodBy = Field(
        default="echo", description="How log-likelihoods are computed."
    )
    reasoning_as: ReasoningAs = Field(
        default="vllm", description="In whose words `generation.reasoning` is written."
    )
    serve: bool = Field(
        default=False,
        description="Start `vllm serve` for this model, on a free port, and end it after its last "
        "task.",
    )
    weights: str | None = Field(
        default=None,
        description="What to serve: a name on the Hugging Face hub, or a folder; the model's name "
        "if left out.",
        json_schema_extra=_PATH_OR_NAME,
    )
    serve_args: tuple[QueryText, ...] = Field(
        default=(),
        description="More arguments, such as `[--max-model-len, 8192]`.",
        json_schema_extra=_CODE,
    )
    serve_command: tuple[str, ...] = Field(
        default=("vllm", "serve"),
        min_length=1,
        description="What starts a server.",
        json_schema_extra=_CODE,
    )
    start_timeout_s: float = Field(
        default=1800.0, gt=0, description="Time to fetch, load and compile the model, seconds."
    )

    @model_validator(mode="after")
    def _a_server_of_our_own_has_its_own_address(self) -> Self:
        named = sorted(self.model_fields_set & _OF_SERVING)
        if not self.serve and named:
            raise ValueError(f"`{named[0]}` is of a server that is started here: set `serve` too")
        other = sorted(self.model_fields_set & {"base_url", "api_key", "api_key_header"})
        if self.serve and other:
            raise ValueError(f"`serve` chooses address and key itself: leave `{other[0]}` out")
        taken = [text for text in self.serve_args if text.partition("=")[0] in _OWN_ARGUMENTS]
        if taken:
            raise ValueError(f"`{taken[0]}` is chosen by llmeval: leave it out of `serve_args`")
        return self


class AnthropicSettings(HttpSettings):
    """Anthropic's Messages API; the key comes from ANTHROPIC_API_KEY if left out."""

    base_url: BaseUrl = Field(
        default="https://api.anthropic.com/v1",
        description="Address of the API, up to and with /v1; ANTHROPIC_BASE_URL if left out.",
    )
    api_key_header: str | None = Field(
        default="x-api-key",
        description="The header that carries the key as it is; `Authorization` sends it as a "
        "bearer token.",
    )
    version: QueryText = Field(
        default="2023-06-01", description="The version of the API, its header `anthropic-version`."
    )
    default_max_tokens: int = Field(
        default=4096,
        ge=1,
        description="What is sent where `max_tokens` is null: the API wants a number.",
    )


class GeminiSettings(HttpSettings):
    """Google's Gemini API; the key comes from GEMINI_API_KEY or GOOGLE_API_KEY if left out."""

    base_url: BaseUrl = Field(
        default="https://generativelanguage.googleapis.com/v1beta",
        description="Address of the API, up to and with its version.",
    )
    api_key_header: str | None = Field(
        default="x-goog-api-key",
        description="The header that carries the key as it is; `Authorization` sends it as a "
        "bearer token, as Vertex AI wants it.",
    )


class OpenAIResponsesSettings(OpenAISettings):
    """OpenAI's Responses API; keys and addresses as `openai`."""

    summary: Literal["auto", "concise", "detailed"] | None = Field(
        default=None,
        description="Ask for a summary of the reasoning, which OpenAI gives to verified "
        "organizations; it is never judged.",
    )


class LlamaCppSettings(Settings):
    """The embedded llama.cpp engine."""

    path: Path | None = Field(
        default=None, description="A GGUF file; by default the name chooses a known model."
    )
    n_parallel: int = Field(default=4, ge=1, le=64, description="Requests answered at once.")
    context_size: int = Field(default=2048, ge=64, description="Tokens for each request.")
    n_threads: int | None = Field(
        default=None, ge=1, description="Threads; one for each processor (at most 16) if left out."
    )
    start_timeout_s: float = Field(default=120.0, gt=0, description="Time to load, seconds.")


class TransformersSettings(Settings):
    """A Hugging Face model in this process."""

    weights: str | None = Field(
        default=None,
        description="A name on the Hugging Face hub, or a folder; the model's name if left out.",
        json_schema_extra=_PATH_OR_NAME,
    )
    revision: str | None = Field(
        default=None, description="Branch, tag or commit on the hub; pin it, because `main` moves."
    )
    device: str = Field(
        default="auto",
        description="Where it computes: `cuda`, `cuda:1`, `mps`, `cpu`; auto: the first there is.",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="The numbers it computes with; auto: those of its weights."
    )
    batch_size: int = Field(default=8, ge=1, description="Texts computed together.")
    context_size: int | None = Field(
        default=None, ge=2, description="Tokens of prompt and answer; the model's if left out."
    )
    chat: bool | None = Field(
        default=None,
        description="Whether it is asked by messages; if left out, whether its folder has a chat "
        "template, and yes for names on the hub.",
    )
    chat_template_args: dict[str, Any] = Field(  # Any: whatever JSON the template takes
        default={}, description="More arguments for its chat template."
    )
    trust_remote_code: bool = Field(
        default=False,
        description="Run code that the model's own repository brings.",
        json_schema_extra=_CODE,
    )


class EchoSettings(Settings):
    """A stand-in that answers with the question."""

    answer: str | None = Field(default=None, description="A fixed answer instead.")
    latency_s: float = Field(default=0.0, ge=0, description="Time that each answer takes, seconds.")
    fail_every: int = Field(default=0, ge=0, description="Let each n-th request fail; 0 for none.")
