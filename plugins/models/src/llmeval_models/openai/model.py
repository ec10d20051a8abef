"""One model behind OpenAI's API: chat, completions, and choices weighed."""

from __future__ import annotations

import time
from typing import Any

from llmeval_core.hooks import Generation, GenerationSettings, Request
from llmeval_models.likelihood.by_echo import weigh_by_echo
from llmeval_models.likelihood.by_llama_cpp import LlamaCppWeigher
from llmeval_models.openai.answers import read_answer
from llmeval_models.openai.client import Client
from llmeval_models.settings import ServerSettings

_STREAMING: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}  # JSON


class OpenAIModel:
    """Asks one model of one server.

    Args:
        client: the connection pool; closed with the model.
        name: the model's name on that server.
        settings: more keys for each request, and how choices are weighed.
        weigher: weighs choices on a llama.cpp server; made from the settings if left out.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        settings: ServerSettings,
        *,
        weigher: LlamaCppWeigher | None = None,
    ) -> None:
        self._client = client
        self._name = name
        self._max_tokens_key = settings.max_tokens_key
        self._extra = settings.extra_body
        self._streaming = _STREAMING if settings.stream else {}
        if weigher is None and settings.loglikelihood == "llama_cpp":
            weigher = LlamaCppWeigher(client)
        self._weigher = weigher

    async def generate(self, request: Request) -> Generation:
        """Answer one request; see `contracts.Model`."""
        if request.mode == "loglikelihood":
            if self._weigher is not None:
                return await self._weigher.weigh(request)
            return await weigh_by_echo(self._client, self._name, request, extra=self._extra)
        started = time.perf_counter()
        if request.mode == "chat":
            body = self._body(request.settings, self._max_tokens_key)
            body["messages"] = [{"role": m.role, "content": m.content} for m in request.messages]
            answer = await self._client.post("/chat/completions", body | self._extra)
        else:
            body = self._body(request.settings, "max_tokens")
            body["prompt"] = request.prompt
            answer = await self._client.post("/completions", body | self._extra)
        return read_answer(
            answer,
            n=request.settings.n,
            latency_s=time.perf_counter() - started,
            hold_s=self._client.hold_s,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _body(self, settings: GenerationSettings, max_tokens_key: str) -> dict[str, Any]:
        """Write what the settings say; Any: JSON."""
        body: dict[str, Any] = {"model": self._name, **self._streaming}
        if settings.max_tokens is not None:
            body[max_tokens_key] = settings.max_tokens
        if settings.temperature is not None:
            body["temperature"] = settings.temperature
        if settings.top_p is not None:
            body["top_p"] = settings.top_p
        if settings.seed is not None:
            body["seed"] = settings.seed
        if settings.stop:
            body["stop"] = settings.stop
        if settings.n != 1:
            body["n"] = settings.n
        return body
