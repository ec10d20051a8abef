"""Origins: a page of somebody else cannot make a visitor's browser change things here."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.security.refusing import RefusedError
from llmeval_server.security.sessions import Sessions

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class SameOrigin:
    """Lets requests that change something through if no foreign page can have sent them.

    Browsers say where a request comes from: `Sec-Fetch-Site`, which no page can forge, else
    `Origin`. What says neither is no browser, or an old one, which must not come with a cookie.

    Args:
        app: what is behind.
        sessions: knows our cookie; None if nobody logs in.
    """

    def __init__(self, app: ASGIApp, *, sessions: Sessions | None) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] not in _SAFE and not self._is_same(scope):
            raise RefusedError(
                403,
                "the request comes from a page of another origin",
                hint="use this server's own pages; behind a reverse proxy, set "
                "LLMEVAL_TRUSTED_PROXIES to its address",
            )
        await self._app(scope, receive, send)

    def _is_same(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site in ("same-origin", "none")
        if origin is not None:
            ours = f"{scope['scheme']}://{headers.get('host', '')}"
            return _full(origin) == _full(ours)
        return self._sessions is None or self._sessions.cookie_in(headers) is None


def _full(origin: str) -> str:
    """Write out the port that the scheme stands for."""
    scheme, _, rest = origin.lower().partition("://")
    has_port = rest.rpartition(":")[2].isdecimal() and not rest.endswith("]")
    return origin.lower() if has_port else f"{scheme}://{rest}{_DEFAULT_PORTS.get(scheme, '')}"
