"""JSON over HTTP to one server, with every way to fail turned into a ModelError."""

from __future__ import annotations

import errno
import json
import os
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from llmeval_core.hooks import ModelError
from llmeval_models.openai.headers import make_headers
from llmeval_models.openai.refusals import refusal, used_up_for_s
from llmeval_models.openai.wires.choosing import open_wire
from llmeval_models.openai.wires.wire import BrokenError, Reply, TooLateError
from llmeval_models.settings import ServerSettings

_SHOWN_CHARS = 60
_OUT_OF_FILES = {os.strerror(errno.EMFILE), os.strerror(errno.ENFILE)}


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
        given = urlsplit(settings.base_url.rstrip("/"))
        self._base_url = given._replace(netloc=given.netloc.rpartition("@")[2]).geturl()
        self._root = self._base_url.removesuffix("/v1")
        headers = make_headers(settings, url=given, key=key)
        self._secrets = headers.secrets
        self.hold_s: float | None = None
        self._wire = open_wire(settings, headers.sent)

    async def post(self, path: str, body: dict[str, Any], *, at_root: bool = False) -> Any:
        """Send JSON and return the JSON of the answer; Any: JSON of any shape.

        Args:
            path: such as `/chat/completions`, relative to the base URL.
            body: what to send.
            at_root: whether the path is relative to the server's root (no /v1) instead.

        Raises:
            ModelError: no connection, a status that is not 200, or an answer that is not JSON.
        """
        return await self._ask("POST", self._url(path, at_root), json.dumps(body).encode())

    async def get(self, path: str, *, at_root: bool = False) -> Any:
        """Get JSON; as `post`."""
        return await self._ask("GET", self._url(path, at_root), None)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()

    def _url(self, path: str, at_root: bool) -> str:
        return (self._root if at_root else self._base_url) + path

    async def _ask(self, method: str, url: str, content: bytes | None) -> Any:
        try:
            reply = await self._wire.send(method, url, content)
        except TooLateError as err:
            raise ModelError(
                "timeout", "the server did not accept a connection in time", where=self._base_url
            ) from err
        except BrokenError as err:
            if str(err) in _OUT_OF_FILES:
                raise ModelError(
                    "connection",
                    f"no more connections can be opened here: {err}",
                    where=self._base_url,
                    hint="raise the limit with `ulimit -n`, or lower the concurrency",
                ) from err
            raise ModelError(
                "connection",
                f"no connection to the server: {self._clean(str(err))}",
                where=self._base_url,
                hint="is it running, and is base_url right?",
            ) from err
        self.hold_s = used_up_for_s(reply.header)
        if reply.status != 200:
            raise self._refusal(reply.status, reply)
        try:
            answer = json.loads(reply.content)
        except ValueError as err:
            begin = self._clean(reply.content[:_SHOWN_CHARS].decode("utf-8", "replace"))
            raise ModelError(
                "malformed",
                f"the answer is not JSON: {begin!r}",
                where=self._base_url,
                hint="is base_url the address of an API? for most servers it ends in /v1",
            ) from err
        if isinstance(answer, dict) and "error" in answer and "choices" not in answer:
            # Some gateways say 200 and mean an error.
            raise self._refusal(_code(answer), reply)
        return answer

    def _refusal(self, status: int, reply: Reply) -> ModelError:
        return refusal(status, reply.content, reply.header, clean=self._clean, where=self._base_url)

    def _clean(self, text: str) -> str:
        """Take secrets out of what a server says."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _code(answer: dict[str, Any]) -> int:
    """Read the status in an error that came with 200; 502 if it has none."""
    error = answer["error"]
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 502
