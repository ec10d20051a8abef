"""Errors as pages: what happened, where, what to try."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.hooks import LlmevalError
from llmeval_server.context import ServerContext
from llmeval_server.pages.rendering import Renderer

_TOLD_APART = {403, 404, 409, 429, 500, 503}


def error_page(context: ServerContext) -> Callable[[Request, int, LlmevalError], Response]:
    """Make what renders errors for people."""
    renderer = Renderer(context.routes, has_login=context.settings.token is not None)

    def render(request: Request, status: int, error: LlmevalError) -> Response:
        title = f"trouble.{status}" if status in _TOLD_APART else "trouble.other"
        return renderer.page(
            request, "trouble.html", status=status, code=status, title=title, error=error
        )

    return render
