"""One model behind OpenAI's API: chat, completions, and log-likelihoods."""

from __future__ import annotations

import time
from typing import Any

from llmeval_core.hooks import Generation, Request, chat_message
from llmeval_models.http.json_client import JsonClient
from llmeval_models.http.unsupported_parameters import (
    UnsupportedParameters,
    asked_without,
)
from llmeval_models.likelihood.echo_scoring import score_by_echo
from llmeval_models.likelihood.echo_tokens import EchoTokenScorer
from llmeval_models.likelihood.llama_cpp_scoring import LlamaCppScorer
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.completion_parsing import read_answer
from llmeval_models.openai.completion_request import reasoning_as, write_offers, write_settings

_STREAMING: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}  # JSON


class OpenAIModel:
    """Asks one model of one server.

    Args:
        client: the connection pool; closed with the model.
        name: the model's name on that server.
        settings: more keys for each request, and how log-likelihoods are computed.
        scorer: scores continuations on a llama.cpp server; made from the settings if left out.
        unsupported: generation settings that the model is known to reject.
    """

    def __init__(
        self,
        client: JsonClient,
        name: str,
        settings: OpenAICompatibleSettings,
        *,
        scorer: LlamaCppScorer | None = None,
        unsupported: frozenset[str] = frozenset(),
    ) -> None:
        self._client = client
        self._name = name
        self._max_tokens_key = settings.max_tokens_key
        self._seed_key = settings.seed_key
        self._reasoning_as = reasoning_as(settings)
        self._unsupported = UnsupportedParameters(unsupported)
        self._extra = settings.extra_body
        self._streaming = _STREAMING if settings.stream else {}
        if scorer is None and settings.loglikelihood == "llama_cpp":
            scorer = LlamaCppScorer(client)
        self._scorer = scorer
        self._has_prefix = settings.prefix_token is not None
        self._token_scorer = EchoTokenScorer(client, name, prefix=settings.prefix_token)

    async def generate(self, request: Request) -> Generation:
        """Answer one request; see `contracts.Model`."""
        if request.mode in ("loglikelihood", "rolling"):
            return await self._weigh(request)
        started = time.perf_counter()
        if request.mode == "chat":
            body = self._body(request, self._max_tokens_key)
            body["messages"] = [chat_message(message) for message in request.messages]
            body |= write_offers(request)
            path = "/chat/completions"
        else:
            body = self._body(request, "max_tokens")
            body["prompt"] = request.prompt
            path = "/completions"
        body |= self._streaming
        body |= self._extra
        body |= request.settings.extra_body
        answer, not_sent = await self._unsupported.ask(
            body, lambda sent: self._client.post(path, sent)
        )
        generation = read_answer(
            answer,
            n=request.settings.n,
            latency_s=time.perf_counter() - started,
            retry_after_s=self._client.retry_after_s,
        )
        if not_sent:
            generation = asked_without(generation, not_sent, request.settings.stop)
        return generation

    async def _weigh(self, request: Request) -> Generation:
        """Score continuations, or a whole text."""
        if self._scorer is not None:
            return await self._scorer.score(request)
        extra = {**self._extra, **request.settings.extra_body}
        is_begun_by_us = self._has_prefix and not request.prompt.rstrip()
        if request.mode == "rolling" or is_begun_by_us:
            return await self._token_scorer.score(request, extra=extra)
        return await score_by_echo(self._client, self._name, request, extra=extra)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _body(self, request: Request, max_tokens_key: str) -> dict[str, Any]:
        """Write what the settings say; Any: JSON."""
        return write_settings(
            self._name,
            request.settings,
            max_tokens_key=max_tokens_key,
            seed_key=self._seed_key,
            reasoning_as=self._reasoning_as,
        )
