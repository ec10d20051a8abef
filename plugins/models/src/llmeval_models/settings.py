"""What a user can set for each provider."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from llmeval_core.hooks import Settings

LikelihoodBy = Literal["none", "echo", "llama_cpp"]
BaseUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]


class ServerSettings(Settings):
    """An OpenAI-compatible server."""

    base_url: BaseUrl = Field(
        default="http://localhost:8000/v1", description="Address of the API, up to and with /v1."
    )
    api_key: SecretStr | None = Field(
        default=None, description="Sent as a bearer token; write ${NAME} to take it from outside."
    )
    headers: dict[str, SecretStr] = Field(default={}, description="More request headers.")
    extra_body: dict[str, Any] = Field(  # Any: whatever JSON the server takes
        default={}, description="More keys for the JSON of each request."
    )
    max_tokens_key: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="What the server calls the most tokens of a chat answer."
    )
    loglikelihood: LikelihoodBy = Field(
        default="none",
        description="How choices are weighed: `echo` as in vLLM (/completions with echo and "
        "logprobs), `llama_cpp` on llama.cpp's own server, or not at all.",
    )
    stream: bool = Field(
        default=False,
        description="Ask for streamed answers, for servers and proxies that give no others.",
    )
    max_answer_bytes: int = Field(
        default=64 * 2**20,
        ge=1024,
        description="Most bytes of one answer, decompressed; a longer one is a failed attempt.",
    )
    max_header_bytes: int = Field(
        default=64 * 2**10,
        ge=1024,
        description="Most bytes of the headers of one answer, and of a line between its chunks.",
    )
    max_concurrency: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Most requests at once to this server."
    )
    connect_timeout_s: float = Field(default=10.0, gt=0, description="Time to connect, seconds.")
    trust_env: bool = Field(
        default=False, description="Use the proxies that the environment names."
    )
    http: Literal["auto", "aiohttp", "asyncio"] = Field(
        default="auto",
        description="What carries the requests; asyncio: a client of llmeval's own that takes a "
        "quarter of the processor time; auto: asyncio for http:// without proxies, else aiohttp.",
    )

    @model_validator(mode="after")
    def _proxies_need_aiohttp(self) -> Self:
        if self.trust_env and self.http == "asyncio":
            raise ValueError("`http: asyncio` knows no proxies, and `trust_env` asks for them")
        return self


class OpenAISettings(ServerSettings):
    """OpenAI; the key comes from OPENAI_API_KEY if `api_key` is left out."""

    base_url: BaseUrl = Field(
        default="https://api.openai.com/v1", description="Address of the API."
    )
    max_tokens_key: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_completion_tokens", description="OpenAI's newer models know only this one."
    )


class VllmSettings(ServerSettings):
    """vLLM's own server, which can weigh choices."""

    loglikelihood: LikelihoodBy = Field(default="echo", description="How choices are weighed.")


class OllamaSettings(ServerSettings):
    """Ollama's OpenAI-compatible API."""

    base_url: BaseUrl = Field(
        default="http://localhost:11434/v1", description="Address of the API."
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


class EchoSettings(Settings):
    """A stand-in that answers with the question."""

    answer: str | None = Field(default=None, description="A fixed answer instead.")
    latency_s: float = Field(default=0.0, ge=0, description="Time that each answer takes, seconds.")
    fail_every: int = Field(default=0, ge=0, description="Let each n-th request fail; 0 for none.")
