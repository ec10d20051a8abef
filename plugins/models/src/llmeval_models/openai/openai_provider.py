"""Providers of OpenAI-compatible servers: what can be said before anything is sent."""

from __future__ import annotations

import hashlib
import os
import re

from pydantic import SecretStr

from llmeval_core.hooks import Json, Mode, Model, ModelError, ModelInfo, Readiness, fingerprint
from llmeval_models.model_settings import OpenAICompatibleSettings, OpenAISettings
from llmeval_models.openai.endpoint import endpoint_of, from_environment
from llmeval_models.openai.headers import make_headers
from llmeval_models.openai.tls import check_files

# GPT-5's later versions and its chat models take some of these, and tell what they do not.
_REASONING_MODEL = re.compile(r"o[134](-.*)?|gpt-5(?!-chat)(-.*)?")
_REASONING_REFUSES = frozenset({"temperature", "top_p", "stop", "max_tokens"})


class OpenAICompatibleProvider:
    """Models of one server."""

    def __init__(self, settings: OpenAICompatibleSettings) -> None:
        self._settings = settings

    def describe(self, model: str) -> ModelInfo:
        """Tell how a model can be asked; nothing is sent."""
        settings = self._effective()
        check_files(settings)
        modes: set[Mode] = {"chat", "completion"}
        if settings.loglikelihood != "none":
            modes.add("loglikelihood")
        place = endpoint_of(settings).place
        identity: list[Json] = [place, model, settings.extra_body]
        if "reasoning_as" in settings.model_fields_set:
            identity.append(settings.reasoning_as)
        return ModelInfo(
            cache_key=fingerprint(identity),
            modes=frozenset(modes),
            max_concurrency=settings.max_concurrency,
            endpoint=fingerprint([place, self._limited_by()]),
        )

    def check(self, model: str) -> Readiness:
        """Look whether there is a key where one is needed, and whether HTTP can carry it.

        Raises:
            ModelError: `auth`, as `open`.
        """
        settings = self._effective()
        make_headers(settings, endpoint=endpoint_of(settings), key=self._key())
        return Readiness()

    async def open(self, model: str) -> Model:
        """Make a connection pool; the first request connects.

        Raises:
            ModelError: `auth`, a key is needed and not there or cannot be sent.
        """
        # Late: plans and lists do not need it.
        from llmeval_models.openai.json_client import JsonClient  # noqa: PLC0415
        from llmeval_models.openai.openai_model import OpenAIModel  # noqa: PLC0415

        settings = self._effective()
        client = JsonClient(settings, key=self._key())
        return OpenAIModel(client, model, settings, unsupported=self._known_unsupported(model))

    def _effective(self) -> OpenAICompatibleSettings:
        """Return the settings with what the environment adds."""
        return self._settings

    def _known_unsupported(self, model: str) -> frozenset[str]:
        """Name the generation settings that a model is known to reject; others are learned."""
        return frozenset()

    def _key(self) -> SecretStr | None:
        return self._settings.api_key

    def _limited_by(self) -> str:
        """Tell keys apart without naming them: limits are those of a server and a key."""
        try:
            key = self._key()
        except ModelError:  # told when the model is opened
            key = None
        return hashlib.sha256(key.get_secret_value().encode()).hexdigest() if key else ""


class OpenAIProvider(OpenAICompatibleProvider):
    """Models of OpenAI itself."""

    def __init__(self, settings: OpenAISettings) -> None:
        super().__init__(settings)
        self._given = settings

    def _effective(self) -> OpenAICompatibleSettings:
        return from_environment(self._given)

    def _known_unsupported(self, model: str) -> frozenset[str]:
        return _REASONING_REFUSES if _REASONING_MODEL.fullmatch(model) else frozenset()

    def _key(self) -> SecretStr:
        key = self._settings.api_key
        found = key.get_secret_value() if key is not None else os.environ.get("OPENAI_API_KEY", "")
        if not found.strip():
            raise ModelError(
                "auth", "OPENAI_API_KEY is not set", hint="export OPENAI_API_KEY=... or set api_key"
            )
        return SecretStr(found)
