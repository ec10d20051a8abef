"""JSON over HTTP to one server, with every way to fail turned into a ModelError."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import aiohttp
import yarl
from pydantic import SecretStr

from llmeval_core.hooks import ModelError
from llmeval_models.openai.refusals import refusal, used_up_for_s
from llmeval_models.settings import ServerSettings

_KEEPALIVE_S = 30.0
_SHOWN_CHARS = 60


class Client:
    """A connection pool to one server; opens connections as they are needed.

    Args:
        settings: where the server is, and how patient to be.
        key: the bearer token; None for none. It never gets into a message.

    Attributes:
        hold_s: how long the newest answer asks to send nothing more, seconds; None if it does not.
    """

    def __init__(self, settings: ServerSettings, *, key: SecretStr | None = None) -> None:
        given = yarl.URL(settings.base_url.rstrip("/"))
        self._base_url = str(given.with_user(None))
        self._root = self._base_url.removesuffix("/v1")
        self._urls: dict[tuple[str, bool], yarl.URL] = {}
        headers = {name: secret.get_secret_value() for name, secret in settings.headers.items()}
        self._secrets = [value for value in headers.values() if value]
        if key is not None and (value := key.get_secret_value().strip()):
            headers["Authorization"] = f"Bearer {value}"
            self._secrets.append(value)
        elif given.user is not None:
            login = f"{given.user}:{given.password or ''}"
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        if given.password:
            self._secrets.append(given.password)
        self.hold_s: float | None = None
        self._session = aiohttp.ClientSession(
            headers={"Content-Type": "application/json", **headers},
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S),
            # The engine bounds each attempt; here only connecting is bounded.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout_s),
            trust_env=settings.trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

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
        await self._session.close()

    def _url(self, path: str, at_root: bool) -> yarl.URL:
        url = self._urls.get((path, at_root))
        if url is None:  # parsed once a path, not once a request
            url = yarl.URL((self._root if at_root else self._base_url) + path)
            self._urls[path, at_root] = url
        return url

    async def _ask(self, method: str, url: yarl.URL, content: bytes | None) -> Any:
        try:
            async with self._session.request(
                method, url, data=content, allow_redirects=False
            ) as response:
                received = await response.read()
                status, headers = response.status, response.headers
        except TimeoutError as err:  # aiohttp's own timeouts are both
            raise ModelError(
                "timeout", "the server did not accept a connection in time", where=self._base_url
            ) from err
        except aiohttp.ClientError as err:
            what = f"no connection to the server: {self._clean(_reason(err))}"
            raise ModelError(
                "connection",
                what,
                where=self._base_url,
                hint="is it running, and is base_url right?",
            ) from err
        self.hold_s = used_up_for_s(headers)
        if status != 200:
            raise refusal(status, received, headers, clean=self._clean, where=self._base_url)
        try:
            answer = json.loads(received)
        except ValueError as err:
            begin = self._clean(received[:_SHOWN_CHARS].decode("utf-8", "replace"))
            raise ModelError(
                "malformed",
                f"the answer is not JSON: {begin!r}",
                where=self._base_url,
                hint="is base_url the address of an API? for most servers it ends in /v1",
            ) from err
        if isinstance(answer, dict) and "error" in answer and "choices" not in answer:
            # Some gateways say 200 and mean an error.
            raise refusal(_code(answer), received, headers, clean=self._clean, where=self._base_url)
        return answer

    def _clean(self, text: str) -> str:
        """Take secrets out of what a server says."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _reason(err: aiohttp.ClientError) -> str:
    """Say what happened without aiohttp's repetition of host and port."""
    if isinstance(err, aiohttp.ClientConnectorError):
        cause = err.os_error
        if cause.errno is not None and cause.errno > 0:  # DNS errors count downwards
            return os.strerror(cause.errno)
        return cause.strerror or str(cause)
    return str(err) or type(err).__name__


def _code(answer: dict[str, Any]) -> int:
    """Read the status in an error that came with 200; 502 if it has none."""
    error = answer["error"]
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 502
