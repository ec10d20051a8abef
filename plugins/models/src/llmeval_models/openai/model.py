"""One model behind OpenAI's API: chat, completions, and choices weighed."""

from __future__ import annotations

import time
from typing import Any

from llmeval_core.hooks import Generation, GenerationSettings, ModelError, Request
from llmeval_models.likelihood.by_echo import weigh_by_echo
from llmeval_models.likelihood.by_llama_cpp import LlamaCppWeigher
from llmeval_models.openai.client import Client
from llmeval_models.settings import ServerSettings


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
        generation = to_generation(
            answer, latency_s=time.perf_counter() - started, hold_s=self._client.hold_s
        )
        if len(generation.texts) < request.settings.n:
            raise ModelError(
                "bad_request",
                f"asked for {request.settings.n} answers, got {len(generation.texts)}",
                hint="this server does not know `n`; leave it at 1",
            )
        return generation

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _body(self, settings: GenerationSettings, max_tokens_key: str) -> dict[str, Any]:
        """Write what the settings say; Any: JSON."""
        body: dict[str, Any] = {"model": self._name}
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


def to_generation(answer: Any, *, latency_s: float, hold_s: float | None = None) -> Generation:
    """Read an answer of chat or completions; Any: whatever JSON came.

    An empty or missing content is an empty text.

    Raises:
        ModelError: `malformed`, the answer has no choices.
    """
    try:
        choices = answer["choices"]
        usage = answer.get("usage") or {}
        return Generation(
            texts=tuple([_text(choice) for choice in choices]),
            finish_reason=choices[0].get("finish_reason"),
            n_prompt_tokens=usage.get("prompt_tokens"),
            n_completion_tokens=usage.get("completion_tokens"),
            latency_s=latency_s,
            served_by=answer.get("model"),
            hold_s=hold_s,
        )
    except (KeyError, IndexError, TypeError, AttributeError) as err:
        found = ", ".join(answer) if isinstance(answer, dict) else type(answer).__name__
        raise ModelError("malformed", f"the answer has no choices, only: {found}") from err


def _text(choice: Any) -> str:
    """Read the text of one choice: a string, a list of parts, or nothing; Any: JSON."""
    content = choice["message"].get("content") if "message" in choice else choice["text"]
    if isinstance(content, list):
        return "".join([_part(part) for part in content])
    return content or ""


def _part(part: Any) -> str:
    """Read one part of a message; only text counts, not what a model thought. Any: JSON."""
    return str(part.get("text") or "") if isinstance(part, dict) else str(part)
