"""The routes of the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from llmeval_server.context import ServerContext
from llmeval_server.pages.home_page import HomePage
from llmeval_server.pages.job_page import JobPages
from llmeval_server.pages.leaderboard_page import LeaderboardPage
from llmeval_server.pages.login_page import LoginPage
from llmeval_server.pages.page_renderer import Renderer
from llmeval_server.pages.sample_page import OneSamplePage
from llmeval_server.pages.samples_page import SamplesPage
from llmeval_server.pages.start_page import StartPage
from llmeval_server.planning.planner import Planner
from llmeval_server.results_cache import ResultsCache

_COMPRESSED = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)]
_STATIC_FOLDER = Path(__file__).parent / "static"


def make_pages(context: ServerContext, planner: Planner, results: ResultsCache) -> list[BaseRoute]:
    """Make the routes of all pages and of their static files."""
    renderer = Renderer(context.routes, has_login=context.settings.token is not None)
    home = context.settings.home
    job, start = JobPages(context, renderer, results), StartPage(context, renderer, planner)
    return [
        _page("/", HomePage(context, renderer, results).show),
        _page("/jobs/{job_id}", job.show),
        Route("/jobs/{job_id}/cancel", job.cancel, methods=["POST"]),
        Route("/jobs/{job_id}/retry", job.retry, methods=["POST"]),
        _page("/leaderboard", LeaderboardPage(renderer, results).show),
        _page("/samples", SamplesPage(renderer, home).show),
        _page("/samples/one", OneSamplePage(renderer, home).show),
        _page("/start", start.show),
        Route("/start", start.submit, methods=["POST"]),
        _page("/login", LoginPage(renderer).show),
        Mount("/static", StaticFiles(directory=_STATIC_FOLDER), middleware=_COMPRESSED),
    ]


def _page(path: str, show: Callable[[Request], Response | Awaitable[Response]]) -> Route:
    """Make the route of a page, which is compressed for browsers that accept it."""
    return Route(path, show, methods=["GET"], middleware=_COMPRESSED)
