"""Logins of browsers: a signed cookie that says until when; what was logged out stays so."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import Scope

from llmeval_server.security.session_records import SessionRecords

LIFETIME_S = 7 * 24 * 3600


class Sessions:
    """Makes and checks the cookies of those who showed the token.

    They are signed with a key that comes from the token and the generation in the records: they
    outlive a restart, and another token ends them all for good. A session that was logged out is
    refused from then on, also after a restart.

    Args:
        token: the server's.
        records: know what was logged out.
        now: the clock, seconds since 1970.
    """

    def __init__(
        self, token: SecretStr, records: SessionRecords, *, now: Callable[[], float] = time.time
    ) -> None:
        secret = token.get_secret_value().encode()
        self._key = hmac.digest(secret, b"llmeval session", "sha256")
        self._records = records
        self._now = now
        # Cookies know no ports: servers on one host must not overwrite each other's.
        self.cookie_name = f"llmeval_{hmac.digest(secret, b'llmeval cookie', 'sha256').hex()[:8]}"

    def begin(self) -> str:
        """Make the value of a new session's cookie."""
        body = f"{int(self._now()) + LIFETIME_S}.{secrets.token_urlsafe(16)}"
        return f"{body}.{self._sign(body)}"

    def is_valid(self, value: str) -> bool:
        """Say whether a cookie is of ours, still in time and not logged out."""
        body, _, signature = value.rpartition(".")
        until = body.partition(".")[0]
        if not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            return False
        return int(until) > self._now() and not self._records.has_ended(body)

    def end(self, value: str) -> None:
        """Refuse a session from now on; blocking.

        Raises:
            OSError: it is refused, but only until the server starts again.
        """
        if self.is_valid(value):
            body = value.rpartition(".")[0]
            until = int(body.partition(".")[0])
            self._records.end(body, until=until, now=self._now())

    def cookie_in(self, headers: Headers) -> str | None:
        """Find our cookie's value in a request; None if there is none."""
        for line in headers.getlist("cookie"):
            try:
                morsel = SimpleCookie(line).get(self.cookie_name)
            except CookieError:
                continue
            if morsel is not None:
                return morsel.value
        return None

    def set_cookie(self, scope: Scope, value: str) -> str:
        """Write the Set-Cookie header; an empty value takes the cookie away."""
        path = scope.get("root_path") or "/"
        age = LIFETIME_S if value else 0
        secure = "; Secure" if scope["scheme"] == "https" else ""
        return (
            f"{self.cookie_name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax"
            f"{secure}"
        )

    def _sign(self, body: str) -> str:
        text = f"{self._records.generation}.{body}"
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
