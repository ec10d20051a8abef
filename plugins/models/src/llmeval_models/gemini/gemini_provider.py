"""The provider of Gemini's models: what can be said before anything is sent."""

from __future__ import annotations

from pydantic import SecretStr

from llmeval_core.hooks import Json, Mode, Model
from llmeval_models.http.environment import key_from_environment
from llmeval_models.http.http_provider import HttpProvider
from llmeval_models.model_settings import GeminiSettings


class GeminiProvider(HttpProvider):
    """Models behind generateContent."""

    def __init__(self, settings: GeminiSettings) -> None:
        super().__init__(settings)
        self._given = settings

    async def open(self, model: str) -> Model:
        """Make a connection pool; see `HttpProvider`."""
        # Late: plans and lists do not need it.
        from llmeval_models.gemini.content_chunks import ContentChunks  # noqa: PLC0415
        from llmeval_models.gemini.gemini_model import GeminiModel  # noqa: PLC0415
        from llmeval_models.http.json_client import JsonClient  # noqa: PLC0415

        settings = self._given
        if settings.stream:  # without it, the stream is a list of JSON
            settings = settings.model_copy(update={"query": {**settings.query, "alt": "sse"}})
        client = JsonClient(settings, streamed=ContentChunks, key=self._key())
        return GeminiModel(client, model, settings)

    def _modes(self) -> frozenset[Mode]:
        return frozenset({"chat"})

    def _identity(self, place: str, model: str) -> list[Json]:
        return ["gemini", place, model, self._given.extra_body]

    def _key(self) -> SecretStr:
        return key_from_environment(self._settings, "GEMINI_API_KEY", "GOOGLE_API_KEY")
