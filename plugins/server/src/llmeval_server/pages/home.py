"""The home page: jobs as they run, the leaderboard in small, the first step of a new team."""

from __future__ import annotations

import time
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.api import make_leaderboard
from llmeval_server.context import ServerContext
from llmeval_server.jobs.records import Job, JobProgress
from llmeval_server.pages.board import make_board
from llmeval_server.pages.job_state import JobState, state_of
from llmeval_server.pages.memory import Memory
from llmeval_server.pages.rendering import Renderer

JOBS_A_PAGE = 20
MODELS_SHOWN = 10
_LIVE_S = 1.5
_WORKER_GONE_S = 20.0


class HomePage:
    """`/`.

    Args:
        context: the server's jobs.
        renderer: makes pages.
        memory: the journal.
    """

    def __init__(self, context: ServerContext, renderer: Renderer, memory: Memory) -> None:
        self._context = context
        self._renderer = renderer
        self._memory = memory

    def show(self, request: Request) -> Response:
        """Render the page; blocking."""
        text = request.query_params.get("from", "0")
        offset = int(text) if text.isdecimal() and len(text) < 10 else 0
        jobs = self._context.jobs
        page = jobs.list(limit=JOBS_A_PAGE, offset=offset)
        leaderboard = make_leaderboard(self._memory.results())
        board = make_board(leaderboard, model_link=self._renderer.model_link(request))
        return self._renderer.page(
            request,
            "home.html",
            live_s=_LIVE_S,
            jobs=[self._state(job) for job in page.jobs],
            n_jobs=page.n_jobs,
            offset=offset,
            a_page=JOBS_A_PAGE,
            counts=jobs.counts(),
            worker_is_alive=self._worker_is_alive(),
            board=replace(board, rows=board.rows[:MODELS_SHOWN]),
        )

    def _state(self, job: Job) -> JobState:
        progress = (
            self._context.jobs.progress(job.id)
            if job.state == "running"
            else JobProgress(sequence=0)
        )
        return state_of(job, progress)

    def _worker_is_alive(self) -> bool:
        seen_at = self._context.jobs.worker_seen_at()
        return seen_at is not None and time.time() - seen_at < _WORKER_GONE_S
