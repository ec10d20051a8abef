"""Authentication: every request needs the token or a session's cookie, except public paths."""

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

from llmeval_server.http_error import HttpError
from llmeval_server.route_classifier import RouteClassifier, route_path
from llmeval_server.security.client_address import client_address
from llmeval_server.security.rate_limit import WindowCounter, too_many_requests
from llmeval_server.security.revoked_sessions import RevokedSessions
from llmeval_server.security.session_cookies import SessionCookies

TOKEN_HEADER = "x-llmeval-token"  # noqa: S105  the header's name
MAX_WRONG_TOKENS = 10
"""How many wrong tokens a client may send in a minute."""


class Authenticator:
    """Checks tokens, and blocks clients that send wrong ones too often.

    Args:
        token: the server's token.
        home: the folder in which revoked sessions are kept.
    """

    def __init__(self, token: SecretStr, home: Path) -> None:
        self._token = token.get_secret_value().encode()
        self._wrong = WindowCounter(MAX_WRONG_TOKENS)
        self.sessions = SessionCookies(token, RevokedSessions(home, token))

    def accepts(self, scope: Scope, token: str) -> bool:
        """Whether a token is the server's; takes the same time for every token.

        Raises:
            HttpError: this client has sent too many wrong tokens, and must wait.
        """
        client = client_address(scope)
        wait_s = self._wrong.wait_s(client)
        if wait_s:
            raise too_many_requests("too many wrong tokens", wait_s)
        if hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token):
            return True
        self._wrong.add(client)
        return False


class AuthenticationMiddleware:
    """Lets only requests with the token or a session's cookie through.

    The token is sent as `Authorization: Bearer`, as the password of HTTP Basic (so that MLflow's
    clients can send it), or as `X-Llmeval-Token`. Token and cookie are removed from requests to
    plugin routes, so that no upstream server gets them.

    Args:
        app: the application behind.
        authenticator: checks tokens and cookies.
        classifier: finds public paths and plugin routes.
    """

    def __init__(
        self, app: ASGIApp, *, authenticator: Authenticator, classifier: RouteClassifier
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._classifier = classifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or self._classifier.is_public(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookie = self._authenticator.sessions.cookie_in(headers)
        by_cookie = cookie is not None and self._authenticator.sessions.is_valid(cookie)
        tokens = _tokens_in(headers)
        by_token = False
        if not by_cookie:
            by_token = any(self._authenticator.accepts(scope, token) for token in tokens)
        if not (by_cookie or by_token):
            await self._refuse(scope, receive, send)
            return
        if self._classifier.plugin_prefix(scope):
            scope = {**scope, "headers": self._without_credentials(scope, by_token=by_token)}
        await self._app(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        is_page = scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", "")
        if not is_page or self._classifier.is_api(scope):
            raise HttpError(
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

    def _without_credentials(self, scope: Scope, *, by_token: bool) -> list[tuple[bytes, bytes]]:
        """Remove token and cookie from the headers; `by_token`: Authorization had the token."""
        kept: list[tuple[bytes, bytes]] = []
        for name, value in scope["headers"]:
            if name == TOKEN_HEADER.encode() or (name == b"authorization" and by_token):
                continue
            if name == b"cookie":
                ours = f"{self._authenticator.sessions.cookie_name}=".encode()
                parts = [part.strip() for part in value.split(b";")]
                others = [part for part in parts if part and not part.startswith(ours)]
                if others:
                    kept.append((name, b"; ".join(others)))
                continue
            kept.append((name, value))
        return kept


def _tokens_in(headers: Headers) -> list[str]:
    """List everything in a request that may be the token."""
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
