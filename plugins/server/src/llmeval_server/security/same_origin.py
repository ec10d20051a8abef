"""The origin check: pages of other sites cannot make a browser change anything here."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.http_error import HttpError
from llmeval_server.security.session_cookies import SessionCookies

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class SameOriginMiddleware:
    """Refuses requests that change something if another site's page may have sent them.

    Browsers name the origin of a request in `Sec-Fetch-Site`, which no page can forge, or else in
    `Origin`. A request with neither comes from a program or an old browser, and must not have our
    cookie.

    Args:
        app: the application behind.
        sessions: finds our cookie; None if there is no login.
    """

    def __init__(self, app: ASGIApp, *, sessions: SessionCookies | None) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if (
            scope["type"] == "http"
            and scope["method"] not in _SAFE
            and not self._is_same_origin(scope)
        ):
            raise HttpError(
                403,
                "the request comes from a page of another origin",
                hint="use this server's own pages; behind a reverse proxy, set "
                "LLMEVAL_TRUSTED_PROXIES to its address",
            )
        await self._app(scope, receive, send)

    def _is_same_origin(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site in ("same-origin", "none")
        if origin is not None:
            ours = f"{scope['scheme']}://{headers.get('host', '')}"
            return _with_port(origin) == _with_port(ours)
        return self._sessions is None or self._sessions.cookie_in(headers) is None


def _with_port(origin: str) -> str:
    """Add the scheme's default port to an origin without a port."""
    scheme, _, rest = origin.lower().partition("://")
    has_port = rest.rpartition(":")[2].isdecimal() and not rest.endswith("]")
    return origin.lower() if has_port else f"{scheme}://{rest}{_DEFAULT_PORTS.get(scheme, '')}"
