"""The page of an error: what happened, where, what to try."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.hooks import LlmevalError
from llmeval_server.context import ServerContext
from llmeval_server.pages.page_renderer import Renderer

_WITH_TITLE = {403, 404, 409, 429, 500, 503}


def make_error_page(context: ServerContext) -> Callable[[Request, int, LlmevalError], Response]:
    """Return a function that renders an error as a page."""
    renderer = Renderer(context.routes, has_login=context.settings.token is not None)

    def render(request: Request, status: int, error: LlmevalError) -> Response:
        title = f"error.{status}" if status in _WITH_TITLE else "error.other"
        return renderer.page(
            request, "error.html", status=status, code=status, title=title, error=error
        )

    return render
