"""Where requests go: the address, its query, and what others read of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from llmeval_models.http.http_settings import HttpSettings

_SECRET_NAME = re.compile(r"(?i)key|token|secret|password|signature|\bsig\b|\bcode\b")
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of an API.

    Attributes:
        url: as given, with a login if there is one.
        base: without login and query.
        query: with its question mark; empty if there is none.
        place: what tells one server from another: host, port, path, and the query without secrets.
        secrets: what in the query must not be seen.
    """

    url: SplitResult
    base: str
    query: str
    place: str
    secrets: tuple[str, ...]

    def at(self, path: str, *, at_root: bool = False) -> str:
        """Return the URL of a path such as `/chat/completions`; the query stays at its end.

        Args:
            path: what follows the base URL.
            at_root: whether it follows the server's root (no /v1) instead.
        """
        return (self.base.removesuffix("/v1") if at_root else self.base) + path + self.query


def endpoint_of(settings: HttpSettings) -> Endpoint:
    """Read `base_url` and `query`; what `query` says goes before what the address says."""
    url = urlsplit(settings.base_url)
    pairs = parse_qsl(url.query, keep_blank_values=True)
    pairs = [(name, value) for name, value in pairs if name not in settings.query]
    pairs += settings.query.items()
    known = [(name, value) for name, value in pairs if not _SECRET_NAME.search(name)]
    bare = url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="")
    place = f"{url.hostname}:{url.port or ''}{url.path.rstrip('/')}"
    return Endpoint(
        url=url,
        base=bare.geturl().rstrip("/"),
        query=f"?{urlencode(pairs)}" if pairs else "",
        place=f"{place}?{urlencode(sorted(known))}" if known else place,
        secrets=tuple(value for name, value in pairs if value and _SECRET_NAME.search(name)),
    )


def key_header(settings: HttpSettings) -> str:
    """Tell in which header a key goes; Azure has one of its own."""
    host = urlsplit(settings.base_url).hostname or ""
    return settings.api_key_header or ("api-key" if host.endswith(_AZURE) else "Authorization")
