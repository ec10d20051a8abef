"""The provider of models behind OpenAI's Responses API."""

from __future__ import annotations

from llmeval_core.hooks import Json, Mode, Model
from llmeval_models.model_settings import OpenAIResponsesSettings
from llmeval_models.openai.openai_provider import OpenAIProvider


class OpenAIResponsesProvider(OpenAIProvider):
    """Models that are asked at /responses; addresses, keys and organization as `openai`."""

    lacks = frozenset({"n"})

    def __init__(self, settings: OpenAIResponsesSettings) -> None:
        super().__init__(settings)
        self._summary = settings.summary

    async def open(self, model: str) -> Model:
        """Make a connection pool; see `HttpProvider`."""
        # Late: plans and lists do not need it.
        from llmeval_models.http.json_client import JsonClient  # noqa: PLC0415
        from llmeval_models.openai_responses.response_events import ResponseEvents  # noqa: PLC0415
        from llmeval_models.openai_responses.responses_model import (  # noqa: PLC0415
            OpenAIResponsesModel,
        )

        settings = self._effective()
        client = JsonClient(settings, streamed=ResponseEvents, key=self._key())
        unsupported = self._known_unsupported(model) & {"temperature", "top_p"}
        return OpenAIResponsesModel(
            client, model, settings, summary=self._summary, unsupported=unsupported
        )

    def _modes(self) -> frozenset[Mode]:
        return frozenset({"chat"})

    def _identity(self, place: str, model: str) -> list[Json]:
        return ["openai_responses", *super()._identity(place, model), self._summary]
