"""JSON over HTTP to one server, with every way to fail turned into a ModelError."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from llmeval_core.hooks import ModelError
from llmeval_models.http.body_parsing import BodyError, Streamed, read_body
from llmeval_models.http.connection_errors import connect_timeout_error, connection_error
from llmeval_models.http.embedded_error import EmbeddedError
from llmeval_models.http.embedded_error_search import embedded_error_in
from llmeval_models.http.endpoint import endpoint_of
from llmeval_models.http.headers import make_headers
from llmeval_models.http.http_error_mapping import error_from_response
from llmeval_models.http.http_settings import HttpSettings
from llmeval_models.http.retry_delays import quota_reset_s
from llmeval_models.http.transports.transport import (
    ConnectTimeoutError,
    HttpResponse,
    TransportError,
    UnusableResponseError,
)
from llmeval_models.http.transports.transport_choice import open_transport

_SHOWN_CHARS = 60
_NO_API_HINT = "is base_url the address of an API? for most servers it ends in /v1"
_BROKEN_OFF_HINT = "a proxy's time limit, or a crash of the server? its log tells"


class JsonClient:
    """A connection pool to one server; opens connections as they are needed.

    Args:
        settings: where the server is, and how patient to be.
        streamed: collects the events of an answer that comes as a stream.
        key: None for none. It never gets into a message.
        headers: what the maker's API wants beside those of the settings; no secrets.

    Attributes:
        retry_after_s: how long the newest answer asks to send nothing more, seconds; None if it
            does not.

    Raises:
        ModelError: a header cannot be sent.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        streamed: Streamed,
        key: SecretStr | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._endpoint = endpoint_of(settings)
        self._base_url = self._endpoint.base
        made = make_headers(settings, endpoint=self._endpoint, key=key, more=headers or {})
        self._settings = settings
        self._streamed = streamed
        self._secrets = made.secrets
        self.retry_after_s: float | None = None
        self._transport = open_transport(settings, made.sent)

    async def post(self, path: str, body: dict[str, Any], *, at_root: bool = False) -> Any:
        """Send JSON and return the JSON of the answer; Any: JSON of any shape.

        Args:
            path: such as `/chat/completions`, relative to the base URL.
            body: what to send.
            at_root: whether the path is relative to the server's root (no /v1) instead.

        Raises:
            ModelError: no connection, a status that is not 200, an answer that is no JSON or that
                tells of an error.
        """
        url = self._endpoint.at(path, at_root=at_root)
        return await self._ask("POST", url, json.dumps(body).encode())

    async def get(self, path: str, *, at_root: bool = False) -> Any:
        """Get JSON; as `post`."""
        return await self._ask("GET", self._endpoint.at(path, at_root=at_root), None)

    async def is_up(self, path: str, *, at_root: bool = False, within_s: float) -> bool:
        """Tell whether a server answers there with 200, whatever it says.

        Args:
            path: as `post`.
            at_root: as `post`.
            within_s: how long it may take, seconds.
        """
        url = self._endpoint.at(path, at_root=at_root)
        try:
            async with asyncio.timeout(within_s):
                return (await self._transport.send("GET", url, None)).status == 200
        except (TimeoutError, ConnectTimeoutError, TransportError):
            return False

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def clean(self, text: str) -> str:
        """Take secrets out of what a server says."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    async def _ask(self, method: str, url: str, content: bytes | None) -> Any:
        try:
            response = await self._transport.send(method, url, content)
        except ConnectTimeoutError as err:
            raise connect_timeout_error(self._settings, self._endpoint) from err
        except UnusableResponseError as err:
            raise ModelError(
                "malformed", self.clean(str(err)), where=self._base_url, hint=err.hint
            ) from err
        except TransportError as err:
            reason = self.clean(str(err))
            raise connection_error(reason, self._settings, self._endpoint) from err
        self.retry_after_s = quota_reset_s(response.header) if response.tells_quota else None
        if response.status != 200:
            raise self._error_of(response.status, response)
        return self._read(response)

    def _read(self, response: HttpResponse) -> Any:
        """Read the JSON of an answer, or the error inside it."""
        try:
            content_type = response.header("Content-Type")
            answer = read_body(response.content, content_type, self._streamed)
        except BodyError as err:
            begin = self.clean(response.content[:_SHOWN_CHARS].decode("utf-8", "replace"))
            is_broken = err.kind == "connection"
            raise ModelError(
                err.kind,
                err.reason if is_broken else f"{err.reason}: {begin!r}",
                where=self._base_url,
                hint=_BROKEN_OFF_HINT if is_broken else _NO_API_HINT,
            ) from err
        inner = embedded_error_in(answer)
        if inner is not None:
            raise self._embedded_error(inner, response)
        return answer

    def _embedded_error(self, inner: EmbeddedError, response: HttpResponse) -> ModelError:
        """Make the error for an answer that says 200 and means an error."""
        known = self._error_of(
            inner.status, HttpResponse(inner.status, inner.as_json(), response.header)
        )
        said = known.what.partition(": ")[2]
        told = f"error {inner.status}" if inner.is_status_given else "an error"
        known.what = f"HTTP 200 with {told} inside: {said}"
        return known

    def _error_of(self, status: int, response: HttpResponse) -> ModelError:
        return error_from_response(
            status, response.content, response.header, clean=self.clean, where=self._base_url
        )
