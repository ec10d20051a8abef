"""Swagger UI as a page of ours: without inline scripts and foreign files."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_HERE = Path(__file__).parent


def documentation_routes() -> list[BaseRoute]:
    """Make the routes of the page, of its script, and of Swagger UI's own files."""

    async def page(request: Request) -> Response:
        return FileResponse(_HERE / "index.html")

    async def script(request: Request) -> Response:
        return FileResponse(_HERE / "start.js", media_type="text/javascript")

    return [
        Route("/api/docs", page),
        Route("/api/docs/start.js", script),
        # The package is Swagger UI's newest files in a wheel; nothing else of it is used.
        Mount("/api/docs/assets", StaticFiles(packages=[("fastapi_swagger", "resources")])),
    ]
