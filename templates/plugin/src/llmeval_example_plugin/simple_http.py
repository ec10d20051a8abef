"""A model provider: models behind a server that takes and gives a little JSON over HTTP.

The server gets `{"model": ..., "messages": [{"role": ..., "content": ...}], "max_tokens": ...}`
and answers `{"text": ..., "finish_reason": ...}`.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

from pydantic import Field, SecretStr

from llmeval_core.hooks import (
    Component,
    FailureKind,
    Generation,
    Model,
    ModelError,
    ModelInfo,
    ModelProvider,
    Request,
    Settings,
    fingerprint,
    hookimpl,
    stop_reason,
)

_KINDS: dict[int, FailureKind] = {
    401: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    429: "rate_limit",
}


class SimpleHttpSettings(Settings):
    """What a user can set."""

    base_url: str = Field(default="http://localhost:8080", description="Address of the server.")
    api_key: SecretStr | None = Field(default=None, description="Key, sent as a bearer token.")
    timeout_s: float = Field(default=120.0, gt=0, description="Longest wait for an answer.")


class SimpleHttpProvider:
    """Describes and opens the models of one server."""

    def __init__(self, settings: SimpleHttpSettings) -> None:
        self._settings = settings

    def describe(self, model: str) -> ModelInfo:
        """Tell how the model is asked; without network."""
        settings = self._settings
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        return ModelInfo(
            cache_key=settings.base_url,
            modes=frozenset({"chat"}),
            endpoint=fingerprint([settings.base_url, key]),
        )

    async def open(self, model: str) -> Model:
        """Return the model; there is no connection to keep."""
        return SimpleHttpModel(self._settings, model)


class SimpleHttpModel:
    """Sends each request in a thread, because `urllib` blocks."""

    def __init__(self, settings: SimpleHttpSettings, model: str) -> None:
        self._settings = settings
        self._model = model

    async def generate(self, request: Request) -> Generation:
        """Make one attempt; the engine repeats it if the error says that this can help.

        Raises:
            ModelError: there is no answer that can be used.
        """
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": one.role, "content": one.content} for one in request.messages],
        }
        if request.settings.max_tokens is not None:  # None and an empty `stop` are not sent
            body["max_tokens"] = request.settings.max_tokens
        return _read(await asyncio.to_thread(self._post, body))

    async def aclose(self) -> None:
        """Do nothing; nothing is held."""

    def _post(self, body: dict[str, object]) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._settings.api_key is not None:
            headers["Authorization"] = f"Bearer {self._settings.api_key.get_secret_value()}"
        asked = urllib.request.Request(  # noqa: S310  the user's own address
            self._settings.base_url, json.dumps(body).encode(), headers
        )
        try:
            with urllib.request.urlopen(  # noqa: S310  see above
                asked, timeout=self._settings.timeout_s
            ) as answer:
                data: bytes = answer.read()
                return data
        except urllib.error.HTTPError as err:
            with err:
                kind = _KINDS.get(err.code, "overloaded" if err.code >= 500 else "bad_request")
                wait = err.headers.get("Retry-After", "")
                raise ModelError(
                    kind,
                    f"the server answered {err.code}",
                    retry_after_s=float(wait) if wait.isascii() and wait.isdigit() else None,
                ) from err
        except TimeoutError as err:
            raise ModelError("timeout", "the server did not answer in time") from err
        except OSError as err:
            raise ModelError("connection", f"the server cannot be reached: {err}") from err


def _read(data: bytes) -> Generation:
    """Believe nothing of what the server says: what is no answer is `malformed`."""
    try:
        answer: object = json.loads(data)
    except (ValueError, RecursionError) as err:
        raise ModelError("malformed", "the answer is no JSON") from err
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(text, str):
        raise ModelError("malformed", "the answer has no text")
    reason = answer.get("finish_reason")
    return Generation(
        texts=(text,),
        finish_reason=reason if isinstance(reason, str) else None,
        stop_reasons=(stop_reason(reason),),
    )


@hookimpl
def llmeval_register_models() -> Iterable[Component[Any, ModelProvider]]:
    """Offer the provider; Any: its settings."""
    yield Component(
        "simple_http", SimpleHttpSettings, SimpleHttpProvider, "models of my own server"
    )
