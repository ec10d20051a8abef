"""One model behind OpenAI's Responses API."""

from __future__ import annotations

import time
from typing import Any

from llmeval_core.hooks import Generation, ModelError, Request
from llmeval_models.answers.generation_making import only_one
from llmeval_models.http.body_merging import merged
from llmeval_models.http.http_settings import HttpSettings
from llmeval_models.http.json_client import JsonClient
from llmeval_models.http.unsupported_parameters import UnsupportedParameters, asked_without
from llmeval_models.openai_responses.input_items import write_items, write_offers
from llmeval_models.openai_responses.response_parsing import read_response


class OpenAIResponsesModel:
    """Asks one model.

    Args:
        client: the connection pool; closed with the model.
        name: the model's name.
        settings: more keys for each request, and whether answers are streamed.
        summary: which summary of the reasoning to ask for; None for none.
        unsupported: generation settings that the model is known to reject.
    """

    def __init__(
        self,
        client: JsonClient,
        name: str,
        settings: HttpSettings,
        *,
        summary: str | None = None,
        unsupported: frozenset[str] = frozenset(),
    ) -> None:
        self._client = client
        self._name = name
        self._settings = settings
        self._summary = summary
        self._unsupported = UnsupportedParameters(unsupported)

    async def generate(self, request: Request) -> Generation:
        """Answer one request; see `contracts.Model`."""
        only_one(request.settings.n)
        started = time.perf_counter()
        written, left_out = self._write(request)
        body = merged(written, self._settings.extra_body, request.settings.extra_body)
        answer, refused = await self._unsupported.ask(
            body, lambda sent: self._client.post("/responses", sent)
        )
        generation = read_response(
            answer,
            latency_s=time.perf_counter() - started,
            retry_after_s=self._client.retry_after_s,
        )
        not_sent = (*left_out, *refused)
        if not_sent:
            generation = asked_without(generation, not_sent, request.settings.stop)
        return generation

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _write(self, request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Write a request, and name the settings that this API does not know; Any: JSON.

        Raises:
            ModelError: `bad_request`, there is no word for how much is to be thought.
        """
        settings = request.settings
        body: dict[str, Any] = {
            "model": self._name,
            "input": write_items(request.messages),
            "store": False,
            **write_offers(request),
        }
        if settings.max_tokens is not None:
            body["max_output_tokens"] = settings.max_tokens
        if settings.temperature is not None:
            body["temperature"] = settings.temperature
        if settings.top_p is not None:
            body["top_p"] = settings.top_p
        if self._settings.stream:
            body["stream"] = True
        reasoning: dict[str, Any] = {"summary": self._summary} if self._summary else {}
        if settings.reasoning is not None:
            if settings.reasoning.budget is not None:
                raise ModelError(
                    "bad_request",
                    "this API has no word for `reasoning.budget`",
                    hint="give `reasoning: {effort: ...}`",
                )
            reasoning["effort"] = settings.reasoning.effort
        if reasoning:
            body["reasoning"] = reasoning
        unknown = (("seed", settings.seed is not None), ("stop", bool(settings.stop)))
        return body, tuple(name for name, is_set in unknown if is_set)
