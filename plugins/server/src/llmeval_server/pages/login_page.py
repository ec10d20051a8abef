"""The login page, which asks for the token."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from llmeval_server.pages.page_renderer import Renderer


class LoginPage:
    """`/login`; its form posts to the same path.

    Args:
        renderer: renders pages.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    async def show(self, request: Request) -> Response:
        """Render the page."""
        return self._renderer.page(
            request,
            "login.html",
            wanted=request.query_params.get("next", "/"),
            failed="failed" in request.query_params,
        )
