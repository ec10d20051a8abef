"""One model behind generateContent."""

from __future__ import annotations

import time
from urllib.parse import quote

from llmeval_core.hooks import Generation, Request
from llmeval_models.gemini.content_parsing import read_content
from llmeval_models.gemini.content_request import write_content
from llmeval_models.http.body_merging import merged
from llmeval_models.http.json_client import JsonClient
from llmeval_models.http.unsupported_parameters import asked_without
from llmeval_models.model_settings import GeminiSettings


class GeminiModel:
    """Asks one model.

    Args:
        client: the connection pool; closed with the model.
        name: the model's name, such as `gemini-2.5-flash`; `models/` before it may be left out.
        settings: more keys for each request, and whether answers are streamed.
    """

    def __init__(self, client: JsonClient, name: str, settings: GeminiSettings) -> None:
        self._client = client
        self._name = name
        self._extra = settings.extra_body
        resource = name if "/" in name else f"models/{name}"
        method = "streamGenerateContent" if settings.stream else "generateContent"
        self._path = f"/{quote(resource)}:{method}"

    async def generate(self, request: Request) -> Generation:
        """Answer one request; see `contracts.Model`."""
        started = time.perf_counter()
        written, not_sent = write_content(self._name, request)
        body = merged(written, self._extra, request.settings.extra_body)
        generation = read_content(
            await self._client.post(self._path, body),
            n=request.settings.n,
            latency_s=time.perf_counter() - started,
            retry_after_s=self._client.retry_after_s,
        )
        if not_sent:
            generation = asked_without(generation, not_sent, request.settings.stop)
        return generation

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
