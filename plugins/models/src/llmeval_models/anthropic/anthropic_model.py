"""One model behind the Messages API."""

from __future__ import annotations

import time

from llmeval_core.hooks import Generation, Request
from llmeval_models.answers.generation_making import only_one
from llmeval_models.anthropic.message_parsing import read_message
from llmeval_models.anthropic.message_request import write_message
from llmeval_models.http.body_merging import merged
from llmeval_models.http.json_client import JsonClient
from llmeval_models.http.unsupported_parameters import UnsupportedParameters, asked_without
from llmeval_models.model_settings import AnthropicSettings


class AnthropicModel:
    """Asks one model.

    Args:
        client: the connection pool; closed with the model.
        name: the model's name.
        settings: more keys for each request, and whether answers are streamed.
    """

    def __init__(self, client: JsonClient, name: str, settings: AnthropicSettings) -> None:
        self._client = client
        self._name = name
        self._settings = settings
        self._unsupported = UnsupportedParameters()

    async def generate(self, request: Request) -> Generation:
        """Answer one request; see `contracts.Model`."""
        only_one(request.settings.n)
        started = time.perf_counter()
        written, left_out = write_message(
            self._name, request, default_max_tokens=self._settings.default_max_tokens
        )
        if self._settings.stream:
            written["stream"] = True
        body = merged(written, self._settings.extra_body, request.settings.extra_body)
        answer, refused = await self._unsupported.ask(
            body, lambda sent: self._client.post("/messages", sent)
        )
        generation = read_message(
            answer,
            latency_s=time.perf_counter() - started,
            retry_after_s=self._client.retry_after_s,
        )
        not_sent = (*left_out, *[name for name in refused if name not in left_out])
        if not_sent:
            generation = asked_without(generation, not_sent, request.settings.stop)
        return generation

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
