"""The provider of Anthropic's models: what can be said before anything is sent."""

from __future__ import annotations

import re

from pydantic import SecretStr

from llmeval_core.hooks import Json, Mode, Model
from llmeval_models.http.environment import address_from_environment, key_from_environment
from llmeval_models.http.http_provider import HttpProvider
from llmeval_models.model_settings import AnthropicSettings

_HAS_VERSION = re.compile(r"/v\d+(?:[/?]|$)")


class AnthropicProvider(HttpProvider):
    """Models behind the Messages API."""

    lacks = frozenset({"n"})

    def __init__(self, settings: AnthropicSettings) -> None:
        super().__init__(settings)
        self._given = settings

    async def open(self, model: str) -> Model:
        """Make a connection pool; see `HttpProvider`."""
        # Late: plans and lists do not need it.
        from llmeval_models.anthropic.anthropic_model import AnthropicModel  # noqa: PLC0415
        from llmeval_models.anthropic.message_events import MessageEvents  # noqa: PLC0415
        from llmeval_models.http.json_client import JsonClient  # noqa: PLC0415

        settings = self._effective()
        client = JsonClient(
            settings,
            streamed=MessageEvents,
            key=self._key(),
            headers={"anthropic-version": settings.version},
        )
        return AnthropicModel(client, model, settings)

    def _modes(self) -> frozenset[Mode]:
        return frozenset({"chat"})

    def _identity(self, place: str, model: str) -> list[Json]:
        given = self._given
        return ["anthropic", place, model, given.extra_body, given.default_max_tokens]

    def _effective(self) -> AnthropicSettings:
        """Add the address of the environment, which Anthropic's own client takes without /v1."""
        found = address_from_environment(self._given, "ANTHROPIC_BASE_URL")
        if found is None:
            return self._given
        address = found if _HAS_VERSION.search(found) else f"{found.rstrip('/')}/v1"
        return self._given.model_copy(update={"base_url": address})

    def _key(self) -> SecretStr:
        return key_from_environment(self._settings, "ANTHROPIC_API_KEY")
