"""A provider of models behind HTTP: what can be said before anything is sent."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from pydantic import SecretStr

from llmeval_core.hooks import Json, Mode, Model, ModelError, ModelInfo, Readiness, fingerprint
from llmeval_models.http.endpoint import endpoint_of
from llmeval_models.http.headers import make_headers
from llmeval_models.http.http_settings import HttpSettings
from llmeval_models.http.tls import check_files


class HttpProvider(ABC):
    """Models of one server; a wire says in which modes they can be asked, and opens them.

    Attributes:
        lacks: see `ModelInfo`.
    """

    lacks: ClassVar[frozenset[Literal["n", "tools"]]] = frozenset()

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings

    def describe(self, model: str) -> ModelInfo:
        """Tell how a model can be asked; nothing is sent."""
        settings = self._effective()
        check_files(settings)
        place = endpoint_of(settings).place
        return ModelInfo(
            cache_key=fingerprint(self._identity(place, model)),
            modes=self._modes(),
            max_concurrency=settings.max_concurrency,
            endpoint=fingerprint([place, self._limited_by()]),
            lacks=self.lacks,
        )

    def check(self, model: str) -> Readiness:
        """Look whether there is a key where one is needed, and whether HTTP can carry it.

        Raises:
            ModelError: `auth`, as `open`.
        """
        settings = self._effective()
        make_headers(settings, endpoint=endpoint_of(settings), key=self._key())
        return Readiness()

    @abstractmethod
    async def open(self, model: str) -> Model:
        """Make a connection pool; the first request connects.

        Raises:
            ModelError: `auth`, a key is needed and not there or cannot be sent.
        """

    @abstractmethod
    def _modes(self) -> frozenset[Mode]:
        """Tell how the models can be asked."""

    @abstractmethod
    def _identity(self, place: str, model: str) -> list[Json]:
        """List what changes a model's answers; another wire to the same place is another list."""

    def _effective(self) -> HttpSettings:
        """Return the settings with what the environment adds."""
        return self._settings

    def _key(self) -> SecretStr | None:
        """Return the key; None if none is needed.

        Raises:
            ModelError: `auth`, it is needed and not there.
        """
        return self._settings.api_key

    def _limited_by(self) -> str:
        """Tell keys apart without naming them: limits are those of a server and a key."""
        try:
            key = self._key()
        except ModelError:  # told when the model is opened
            key = None
        return hashlib.sha256(key.get_secret_value().encode()).hexdigest() if key else ""
