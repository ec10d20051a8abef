"""The addresses that jobs may name, so that no job can explore the server's network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from llmeval_server.job_errors import ForbiddenError

# So plain that all parsers agree on it: no login, query, escape or space.
_PLAIN = re.compile(r"https?://[A-Za-z0-9._\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")
_PORTS = {"http": 80, "https": 443}


class AllowedUrls:
    """The base URLs that jobs may name.

    Args:
        allowed: a web address allows every address below it, with the same scheme, host and
            port; any other address allows only itself.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = tuple(allowed)

    def check(self, text: str, *, default: object, where: str) -> None:
        """Accept an address that is allowed or the plugin's own default.

        Args:
            text: the address.
            default: the plugin's default.
            where: the setting, for the error.

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
    base, wanted = _split(allowed), _split(text)
    if base is None or wanted is None or base[:3] != wanted[:3]:
        return False
    path, below = wanted[3].rstrip("/"), base[3].rstrip("/")
    return path == below or path.startswith(f"{below}/")


def _split(text: str) -> tuple[str, str, int, str] | None:
    """Split a web address into scheme, host, port and path; None if it is not plain."""
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
