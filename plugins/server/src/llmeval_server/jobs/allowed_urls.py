"""The addresses that jobs may name: no others, or a job could look around in our network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from llmeval_server.errors import ForbiddenError

# So plain that no two parsers can take it for different things: no login, query, escape or space.
_PLAIN = re.compile(r"https?://[A-Za-z0-9._\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")
_PORTS = {"http": 80, "https": 443}


class AllowedUrls:
    """Knows the base URLs that were allowed.

    Args:
        allowed: of web addresses, what begins so is allowed (scheme, host and port the same, the
            path below); of all others, exactly this text.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = tuple(allowed)

    def check(self, text: str, *, default: object, where: str) -> None:
        """Pass an address that is allowed, or is what the plugin itself would take.

        Raises:
            ForbiddenError: it is neither.
        """
        if text == default or any(_covers(allowed, text) for allowed in self._allowed):
            return
        raise ForbiddenError(
            f"a job may not name the address '{_without_login(text)}'",
            where=where,
            hint="leave it out, or ask for it to be added to LLMEVAL_MODEL_URLS",
        )


def _covers(allowed: str, text: str) -> bool:
    if not allowed.startswith(("http://", "https://")):
        return text == allowed
    base, wanted = _parts(allowed), _parts(text)
    if base is None or wanted is None or base[:3] != wanted[:3]:
        return False
    path, below = wanted[3].rstrip("/"), base[3].rstrip("/")
    return path == below or path.startswith(f"{below}/")


def _parts(text: str) -> tuple[str, str, int, str] | None:
    """Split a web address into scheme, host, port and path; None if it is not a plain one."""
    if not _PLAIN.fullmatch(text):
        return None
    try:
        url = urlsplit(text)
        port = url.port or _PORTS[url.scheme]
    except ValueError:
        return None
    if not url.hostname or {".", ".."} & set(url.path.split("/")):
        return None
    return url.scheme, url.hostname, port, url.path


def _without_login(text: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", text)
