"""Providers of OpenAI-compatible servers: what can be said before anything is sent."""

from __future__ import annotations

import re

from pydantic import SecretStr

from llmeval_core.hooks import Json, Mode, Model
from llmeval_models.http.environment import key_from_environment
from llmeval_models.http.http_provider import HttpProvider
from llmeval_models.model_settings import OpenAICompatibleSettings, OpenAISettings
from llmeval_models.openai.openai_environment import from_environment

# GPT-5's later versions and its chat models take some of these, and tell what they do not.
_REASONING_MODEL = re.compile(r"o[134](-.*)?|gpt-5(?!-chat)(-.*)?")
_REASONING_REFUSES = frozenset({"temperature", "top_p", "stop", "max_tokens"})


class OpenAICompatibleProvider(HttpProvider):
    """Models of one server with OpenAI's API: chat, completions, and perhaps log-likelihoods."""

    def __init__(self, settings: OpenAICompatibleSettings) -> None:
        super().__init__(settings)
        self._given = settings

    async def open(self, model: str) -> Model:
        """Make a connection pool; see `HttpProvider`."""
        # Late: plans and lists do not need it.
        from llmeval_models.http.json_client import JsonClient  # noqa: PLC0415
        from llmeval_models.openai.openai_model import OpenAIModel  # noqa: PLC0415
        from llmeval_models.openai.stream_chunks import StreamedResponse  # noqa: PLC0415

        settings = self._effective()
        client = JsonClient(settings, streamed=StreamedResponse, key=self._key())
        return OpenAIModel(client, model, settings, unsupported=self._known_unsupported(model))

    def _modes(self) -> frozenset[Mode]:
        modes: set[Mode] = {"chat", "completion"}
        if self._given.loglikelihood != "none":
            modes |= {"loglikelihood", "rolling"}
        return frozenset(modes)

    def _identity(self, place: str, model: str) -> list[Json]:
        identity: list[Json] = [place, model, self._given.extra_body]
        if "reasoning_as" in self._given.model_fields_set:
            identity.append(self._given.reasoning_as)
        if self._given.prefix_token is not None:
            identity.append(["prefix_token", self._given.prefix_token])
        return identity

    def _effective(self) -> OpenAICompatibleSettings:
        return self._given

    def _known_unsupported(self, model: str) -> frozenset[str]:
        """Name the generation settings that a model is known to reject; others are learned."""
        return frozenset()


class OpenAIProvider(OpenAICompatibleProvider):
    """Models of OpenAI itself."""

    def __init__(self, settings: OpenAISettings) -> None:
        super().__init__(settings)
        self._own = settings

    def _effective(self) -> OpenAICompatibleSettings:
        return from_environment(self._own)

    def _known_unsupported(self, model: str) -> frozenset[str]:
        return _REASONING_REFUSES if _REASONING_MODEL.fullmatch(model) else frozenset()

    def _key(self) -> SecretStr:
        return key_from_environment(self._settings, "OPENAI_API_KEY")
