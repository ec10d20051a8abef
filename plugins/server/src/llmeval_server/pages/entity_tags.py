"""Entity tags (ETag): a browser that has the current page already gets 304 instead of it."""

from __future__ import annotations

import hashlib
import secrets

from starlette.requests import Request
from starlette.responses import Response

CACHE_CONTROL = "private, no-cache"
"""The browser may keep the page, and no cache in between; it asks before it shows it again."""


class EntityTags:
    """Makes and checks the tags of pages that depend on their address and a few values only.

    Tags are different after each start of the server, which may have another version then.
    """

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(8)

    def tag(self, request: Request, *values: object) -> str:
        """Return the tag of a page.

        Args:
            request: the request, of which the address counts.
            values: everything else that the page depends on.
        """
        address = (request.scope.get("root_path", ""), request.scope["path"], request.url.query)
        text = repr((self._nonce, address, values))
        # Weak, because the page may be compressed on its way.
        return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'

    def is_known(self, request: Request, tag: str) -> bool:
        """Whether the browser has the page with this tag."""
        known = request.headers.get("if-none-match", "")
        return tag in (part.strip() for part in known.split(","))

    def not_modified(self, tag: str) -> Response:
        """Return the response for a browser that has the page."""
        return self.tagged(Response(status_code=304), tag)

    def tagged(self, response: Response, tag: str) -> Response:
        """Add the tag to a response."""
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = CACHE_CONTROL
        response.headers["Vary"] = "Accept-Language, Cookie"
        return response
