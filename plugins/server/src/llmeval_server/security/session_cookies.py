"""Logins of browsers: cookies that are signed, end after a week, and can be revoked."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from itsdangerous import BadSignature, TimestampSigner
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import Scope

from llmeval_server.security.revoked_sessions import RevokedSessions

LIFETIME_S = 7 * 24 * 3600


class SessionCookies:
    """Issues and checks the cookies of browsers that have shown the token.

    The key of the signature comes from the token and the current generation of sessions: cookies
    outlive a restart, and a new token invalidates all of them for good.

    Args:
        token: the server's token.
        revoked: the sessions that were logged out.
        now: the clock, seconds since 1970.
    """

    def __init__(
        self, token: SecretStr, revoked: RevokedSessions, *, now: Callable[[], float] = time.time
    ) -> None:
        self._secret = token.get_secret_value().encode()
        self._revoked = revoked
        self._now = now
        # Cookies know no ports: servers on one host must not overwrite each other's.
        name = hmac.digest(self._secret, b"llmeval cookie", "sha256").hex()[:8]
        self.cookie_name = f"llmeval_{name}"

    def issue(self) -> str:
        """Return the value of a new session's cookie."""
        return self._signer().sign(secrets.token_urlsafe(16)).decode()

    def is_valid(self, value: str) -> bool:
        """Whether a cookie was issued here, has not expired and was not revoked."""
        return self._valid_session(value) is not None

    def revoke(self, value: str) -> None:
        """Refuse a session from now on; blocking.

        Raises:
            OSError: it is refused, but only until the server restarts.
        """
        session = self._valid_session(value)
        if session is not None:
            name, expires_at = session
            self._revoked.add(name, expires_at=expires_at, now=self._now())

    def cookie_in(self, headers: Headers) -> str | None:
        """Return the value of our cookie in a request; None if there is none."""
        for line in headers.getlist("cookie"):
            try:
                morsel = SimpleCookie(line).get(self.cookie_name)
            except CookieError:
                continue
            if morsel is not None:
                return morsel.value
        return None

    def set_cookie(self, scope: Scope, value: str) -> str:
        """Return the Set-Cookie header; an empty value deletes the cookie."""
        path = scope.get("root_path") or "/"
        age = LIFETIME_S if value else 0
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return (
            f"{self.cookie_name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax"
            f"{secure}"
        )

    def _valid_session(self, value: str) -> tuple[str, int] | None:
        """Return a valid cookie's session and when it expires; None if it is not valid."""
        try:
            session, issued_at = self._signer().unsign(
                value, max_age=LIFETIME_S, return_timestamp=True
            )
        except BadSignature:  # also: it has expired
            return None
        name = session.decode()
        if self._revoked.has(name):
            return None
        return name, int(issued_at.timestamp()) + LIFETIME_S

    def _signer(self) -> _Signer:
        return _Signer(self._secret, self._revoked.generation, now=self._now)


class _Signer(TimestampSigner):
    """Signs with HMAC-SHA-256, and takes the time from the given clock."""

    def __init__(self, secret: bytes, generation: str, *, now: Callable[[], float]) -> None:
        super().__init__(
            secret,
            salt=f"llmeval session {generation}".encode(),
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )
        self._now = now

    def get_timestamp(self) -> int:
        """Return the time, seconds since 1970."""
        return int(self._now())
