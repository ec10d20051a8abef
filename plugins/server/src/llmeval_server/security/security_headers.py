"""Security headers: what browsers let our own pages do."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmeval_server.route_classifier import RouteClassifier

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""The headers of every response of ours."""


class SecurityHeadersMiddleware:
    """Adds the headers to every response of ours; plugin routes set their own.

    Args:
        app: the application behind.
        classifier: finds plugin routes and static files.
    """

    def __init__(self, app: ASGIApp, *, classifier: RouteClassifier) -> None:
        self._app = app
        self._classifier = classifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or self._classifier.plugin_prefix(scope):
            await self._app(scope, receive, send)
            return
        is_static = self._classifier.is_static(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if not is_static and not headers.get("Cache-Control", "").startswith("private"):
                    headers["Cache-Control"] = "no-store"  # results may be confidential
            await send(message)

        await self._app(scope, receive, with_headers)
