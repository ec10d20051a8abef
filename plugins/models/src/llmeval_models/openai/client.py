"""JSON over HTTP to one server, with every way to fail turned into a ModelError."""

from __future__ import annotations

import json
from typing import Any

from pydantic import SecretStr

from llmeval_core.hooks import ModelError
from llmeval_models.openai.endpoint import endpoint_of
from llmeval_models.openai.error_objects import InnerError
from llmeval_models.openai.headers import make_headers
from llmeval_models.openai.inner_errors import error_in
from llmeval_models.openai.parsing import BodyError, read_body
from llmeval_models.openai.refusals import refusal, used_up_for_s
from llmeval_models.openai.unreachable import not_in_time, unreachable
from llmeval_models.openai.wires.choosing import open_wire
from llmeval_models.openai.wires.wire import BrokenError, Reply, TooLateError, UnusableError
from llmeval_models.settings import ServerSettings

_SHOWN_CHARS = 60
_NO_API_HINT = "is base_url the address of an API? for most servers it ends in /v1"
_BROKEN_OFF_HINT = "a proxy's time limit, or a crash of the server? its log tells"


class Client:
    """A connection pool to one server; opens connections as they are needed.

    Args:
        settings: where the server is, and how patient to be.
        key: the bearer token; None for none. It never gets into a message.

    Attributes:
        hold_s: how long the newest answer asks to send nothing more, seconds; None if it does not.

    Raises:
        ModelError: a header cannot be sent.
    """

    def __init__(self, settings: ServerSettings, *, key: SecretStr | None = None) -> None:
        self._endpoint = endpoint_of(settings)
        self._base_url = self._endpoint.base
        headers = make_headers(settings, endpoint=self._endpoint, key=key)
        self._settings = settings
        self._secrets = headers.secrets
        self.retry_after_s: float | None = None
        self._wire = open_wire(settings, headers.sent)

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

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()

    async def _ask(self, method: str, url: str, content: bytes | None) -> Any:
        try:
            reply = await self._wire.send(method, url, content)
        except TooLateError as err:
            raise not_in_time(self._settings, self._endpoint) from err
        except UnusableError as err:
            raise ModelError(
                "malformed", self._clean(str(err)), where=self._base_url, hint=err.hint
            ) from err
        except BrokenError as err:
            reason = self._clean(str(err))
            raise unreachable(reason, self._settings, self._endpoint) from err
        self.retry_after_s = used_up_for_s(reply.header) if reply.tells_quota else None
        if reply.status != 200:
            raise self._refusal(reply.status, reply)
        return self._read(reply)

    def _read(self, reply: Reply) -> Any:
        """Read the JSON of an answer, or the error inside it."""
        try:
            answer = read_body(reply.content, reply.header("Content-Type"))
        except BodyError as err:
            begin = self._clean(reply.content[:_SHOWN_CHARS].decode("utf-8", "replace"))
            is_broken = err.kind == "connection"
            raise ModelError(
                err.kind,
                err.reason if is_broken else f"{err.reason}: {begin!r}",
                where=self._base_url,
                hint=_BROKEN_OFF_HINT if is_broken else _NO_API_HINT,
            ) from err
        inner = error_in(answer)
        if inner is not None:
            raise self._inner_refusal(inner, reply)
        return answer

    def _inner_refusal(self, inner: InnerError, reply: Reply) -> ModelError:
        """Make the error for an answer that says 200 and means an error."""
        known = self._refusal(inner.status, Reply(inner.status, inner.as_json(), reply.header))
        said = known.what.partition(": ")[2]
        told = f"error {inner.status}" if inner.is_told else "an error"
        known.what = f"HTTP 200 with {told} inside: {said}"
        return known

    def _refusal(self, status: int, reply: Reply) -> ModelError:
        return refusal(status, reply.content, reply.header, clean=self._clean, where=self._base_url)

    def _clean(self, text: str) -> str:
        """Take secrets out of what a server says."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text
