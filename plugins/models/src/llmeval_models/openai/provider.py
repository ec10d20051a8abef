"""Providers of OpenAI-compatible servers: what can be said before anything is sent."""

from __future__ import annotations

import hashlib
import os
from urllib.parse import urlsplit

from pydantic import SecretStr

from llmeval_core.hooks import Mode, Model, ModelError, ModelInfo, Readiness, fingerprint
from llmeval_models.openai.headers import make_headers
from llmeval_models.settings import OpenAISettings, ServerSettings


class ServerProvider:
    """Models of one server."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings

    def describe(self, model: str) -> ModelInfo:
        """Tell how a model can be asked; nothing is sent."""
        settings = self._settings
        url = urlsplit(settings.base_url)
        modes: set[Mode] = {"chat", "completion"}
        if settings.loglikelihood != "none":
            modes.add("loglikelihood")
        place = f"{url.hostname}:{url.port or ''}{url.path.rstrip('/')}"
        return ModelInfo(
            identity=fingerprint([place, model, settings.extra_body]),
            modes=frozenset(modes),
            max_concurrency=settings.max_concurrency,
            endpoint=fingerprint([place, self._limited_by()]),
        )

    def check(self, model: str) -> Readiness:
        """Look whether there is a key where one is needed, and whether HTTP can carry it.

        Raises:
            ModelError: `auth`, as `open`.
        """
        settings = self._settings
        make_headers(settings, url=urlsplit(settings.base_url), key=self._key())
        return Readiness()

    async def open(self, model: str) -> Model:
        """Make a connection pool; the first request connects.

        Raises:
            ModelError: `auth`, a key is needed and not there or cannot be sent.
        """
        # Late: plans and lists do not need it.
        from llmeval_models.openai.client import Client  # noqa: PLC0415
        from llmeval_models.openai.model import OpenAIModel  # noqa: PLC0415

        client = Client(self._settings, key=self._key())
        return OpenAIModel(client, model, self._settings)

    def _key(self) -> SecretStr | None:
        return self._settings.api_key

    def _limited_by(self) -> str:
        """Tell keys apart without naming them: limits are those of a server and a key."""
        try:
            key = self._key()
        except ModelError:  # told when the model is opened
            key = None
        return hashlib.sha256(key.get_secret_value().encode()).hexdigest() if key else ""


class OpenAIProvider(ServerProvider):
    """Models of OpenAI itself."""

    def __init__(self, settings: OpenAISettings) -> None:
        super().__init__(settings)

    def _key(self) -> SecretStr:
        key = self._settings.api_key
        found = key.get_secret_value() if key is not None else os.environ.get("OPENAI_API_KEY", "")
        if not found.strip():
            raise ModelError(
                "auth", "OPENAI_API_KEY is not set", hint="export OPENAI_API_KEY=... or set api_key"
            )
        return SecretStr(found)
