"""The token: asked of every request but those to what is open to all."""

from __future__ import annotations

import base64
import binascii
import hmac
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.security.clients import client_of
from llmeval_server.security.places import Places, route_path
from llmeval_server.security.rates import Counter, refuse_for_now
from llmeval_server.security.refusing import RefusedError
from llmeval_server.security.session_records import SessionRecords
from llmeval_server.security.sessions import Sessions

TOKEN_HEADER = "x-llmeval-token"  # noqa: S105  the header's name
_MOST_WRONG = 10


class Gate:
    """Knows the token, and who was wrong about it too often.

    Args:
        token: the server's.
        home: the folder where it is kept which sessions were logged out.
    """

    def __init__(self, token: SecretStr, home: Path) -> None:
        self._token = token.get_secret_value().encode()
        self._wrong = Counter(_MOST_WRONG)
        self.sessions = Sessions(token, SessionRecords(home, token))

    def admit(self, scope: Scope, token: str) -> bool:
        """Say whether the token is right; in the same time whatever it is.

        Raises:
            RefusedError: this client was wrong too often; it must wait, right or not.
        """
        client = client_of(scope)
        wait_s = self._wrong.wait_s(client)
        if wait_s:
            raise refuse_for_now("too many wrong tokens", wait_s)
        if hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token):
            return True
        self._wrong.add(client)
        return False


class Access:
    """Lets requests through that show the token or a session's cookie.

    The token comes as `Authorization: Bearer`, as the password of HTTP Basic (so that MLflow's
    clients can send it), or as `X-Llmeval-Token`. None of it reaches a plugin route: an
    upstream has no business with our secrets.

    Args:
        app: what is behind.
        gate: knows the token.
        places: what is open.
    """

    def __init__(self, app: ASGIApp, *, gate: Gate, places: Places) -> None:
        self._app = app
        self._gate = gate
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or self._places.is_open(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookie = self._gate.sessions.cookie_in(headers)
        by_cookie = cookie is not None and self._gate.sessions.is_valid(cookie)
        tokens = _tokens_in(headers)
        by_token = False
        if not by_cookie:
            by_token = any(self._gate.admit(scope, token) for token in tokens)
        if not (by_cookie or by_token):
            await self._turn_away(scope, receive, send)
            return
        if self._places.plugin_prefix(scope):
            scope = {**scope, "headers": self._without_ours(scope, is_ours=by_token)}
        await self._app(scope, receive, send)

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        is_page = scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", "")
        if not is_page or self._places.is_api(scope):
            raise RefusedError(
                401,
                "this server needs its token",
                hint="send it as `Authorization: Bearer TOKEN`; commands take it from "
                "LLMEVAL_TOKEN",
                headers={"WWW-Authenticate": 'Bearer realm="llmeval"'},
            )
        query = scope["query_string"].decode("latin-1")
        wanted = (route_path(scope) or "/") + (f"?{query}" if query else "")
        url = f"{scope.get('root_path', '')}/login?next={quote(wanted, safe='/')}"
        await RedirectResponse(url, 303)(scope, receive, send)

    def _without_ours(self, scope: Scope, *, is_ours: bool) -> list[tuple[bytes, bytes]]:
        """Take our token and our cookie out of the headers; `is_ours`: of Authorization too."""
        kept: list[tuple[bytes, bytes]] = []
        for name, value in scope["headers"]:
            if name == TOKEN_HEADER.encode() or (name == b"authorization" and is_ours):
                continue
            if name == b"cookie":
                ours = f"{self._gate.sessions.cookie_name}=".encode()
                parts = [part.strip() for part in value.split(b";")]
                others = [part for part in parts if part and not part.startswith(ours)]
                if others:
                    kept.append((name, b"; ".join(others)))
                continue
            kept.append((name, value))
        return kept


def _tokens_in(headers: Headers) -> list[str]:
    """Find everything in a request that may be the token."""
    found = headers.getlist(TOKEN_HEADER)
    for line in headers.getlist("authorization"):
        kind, _, rest = line.partition(" ")
        if kind.lower() == "bearer":
            found.append(rest.strip())
        elif kind.lower() == "basic":
            try:
                decoded = base64.b64decode(rest.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue
            found.append(decoded.partition(":")[2])
    return found
