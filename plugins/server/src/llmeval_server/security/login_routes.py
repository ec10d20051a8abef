"""Login and logout: exchange the token for a session's cookie, and revoke it."""

from __future__ import annotations

from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from llmeval_server.http_error import HttpError
from llmeval_server.security.authentication import Authenticator
from llmeval_server.security.revoked_sessions import FILE

_CLEAR_CACHE = {"Clear-Site-Data": '"cache"'}
"""Has the browser drop the pages that it keeps, so that nobody can go back to them."""


def login_routes(authenticator: Authenticator | None) -> list[Route]:
    """Make the routes to which the login form and the logout button are posted."""

    async def log_in(request: Request) -> Response:
        fields = _fields(await request.body())
        wanted = local_path(fields.get("next", ["/"])[-1])
        root = request.scope.get("root_path", "")
        if authenticator is None:
            return RedirectResponse(root + wanted, 303)
        if not authenticator.accepts(request.scope, fields.get("token", [""])[-1].strip()):
            return RedirectResponse(f"{root}/login?failed=1&next={quote(wanted, safe='/')}", 303)
        answer = RedirectResponse(root + wanted, 303)
        cookie = authenticator.sessions.set_cookie(request.scope, authenticator.sessions.issue())
        answer.headers.append("set-cookie", cookie)
        return answer

    async def log_out(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        if authenticator is None:
            return RedirectResponse(f"{root}/", 303)
        value = authenticator.sessions.cookie_in(request.headers)
        no_cookie = authenticator.sessions.set_cookie(request.scope, "")
        if value is not None:
            await run_in_threadpool(_revoke, authenticator, value, no_cookie)
        answer = RedirectResponse(f"{root}/login", 303, headers=_CLEAR_CACHE)
        answer.headers.append("set-cookie", no_cookie)
        return answer

    return [
        Route("/login", log_in, methods=["POST"], include_in_schema=False),
        Route("/logout", log_out, methods=["POST"], include_in_schema=False),
    ]


def _revoke(authenticator: Authenticator, value: str, no_cookie: str) -> None:
    """Revoke a session; blocking.

    Raises:
        HttpError: it is revoked, but that cannot be written to disk.
    """
    try:
        authenticator.sessions.revoke(value)
    except OSError as err:
        raise HttpError(
            503,
            f"logged out, but only until the server starts again: {err.strerror or err}",
            where=FILE,
            hint="make the server's folder writable and log in and out once more; "
            "another token logs everybody out",
            headers={"Set-Cookie": no_cookie, **_CLEAR_CACHE},
        ) from err


def _fields(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return {}


def local_path(wanted: str) -> str:
    """Return a path of this site; the home page for a path that would lead elsewhere."""
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    return wanted if wanted.isprintable() and "\\" not in wanted else "/"
