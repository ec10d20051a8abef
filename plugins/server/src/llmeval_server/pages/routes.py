"""Which page is where."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from llmeval_server.context import ServerContext
from llmeval_server.pages.home import HomePage
from llmeval_server.pages.job import JobPages
from llmeval_server.pages.leaderboard import LeaderboardPage
from llmeval_server.pages.login import LoginPage
from llmeval_server.pages.memory import Memory
from llmeval_server.pages.rendering import Renderer
from llmeval_server.pages.sample import OneSamplePage
from llmeval_server.pages.samples import SamplesPage
from llmeval_server.pages.start import StartPage
from llmeval_server.planning.planner import Planner

_STATIC_FOLDER = Path(__file__).parent / "static"


def make_pages(context: ServerContext, planner: Planner) -> list[BaseRoute]:
    """Make the routes of all pages and of the files that they use."""
    renderer = Renderer(context.routes, has_login=context.settings.token is not None)
    memory = Memory(context.settings.home)
    job, start = JobPages(context, renderer, memory), StartPage(context, renderer, planner)
    return [
        Route("/", HomePage(context, renderer, memory).show, methods=["GET"]),
        Route("/jobs/{job_id}", job.show, methods=["GET"]),
        Route("/jobs/{job_id}/cancel", job.cancel, methods=["POST"]),
        Route("/jobs/{job_id}/retry", job.retry, methods=["POST"]),
        Route("/leaderboard", LeaderboardPage(renderer, memory).show, methods=["GET"]),
        Route("/samples", SamplesPage(renderer, memory).show, methods=["GET"]),
        Route("/samples/one", OneSamplePage(renderer, memory).show, methods=["GET"]),
        Route("/start", start.show, methods=["GET"]),
        Route("/start", start.take, methods=["POST"]),
        Route("/login", LoginPage(renderer).show, methods=["GET"]),
        Mount("/static", StaticFiles(directory=_STATIC_FOLDER), name="static"),
    ]
