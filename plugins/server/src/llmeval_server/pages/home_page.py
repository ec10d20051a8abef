"""The home page: the jobs, the top of the leaderboard, and how to start."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response

from llmeval_server.context import ServerContext
from llmeval_server.jobs.job_records import Job, JobProgress
from llmeval_server.pages.job_summary import JobSummary, summarize
from llmeval_server.pages.page_renderer import Renderer
from llmeval_server.pages.paged_leaderboard import TableLayout, make_leaderboard_table
from llmeval_server.results_cache import LeaderboardFilter, ResultsCache

JOBS_A_PAGE = 20
MODELS_SHOWN = 10
COLUMNS_SHOWN = 12
_LIVE_S = 1.5
_WORKER_HEARTBEAT_TIMEOUT_S = 20.0


class HomePage:
    """`/`.

    Args:
        context: the server.
        renderer: renders pages.
        results: the task results.
    """

    def __init__(self, context: ServerContext, renderer: Renderer, results: ResultsCache) -> None:
        self._context = context
        self._renderer = renderer
        self._results = results

    def show(self, request: Request) -> Response:
        """Render the page; blocking."""
        text = request.query_params.get("from", "0")
        offset = int(text) if text.isdecimal() and len(text) < 10 else 0
        jobs = self._context.jobs
        page = jobs.list(limit=JOBS_A_PAGE, offset=offset)
        cached = self._results.leaderboard(LeaderboardFilter())
        table = make_leaderboard_table(
            cached.board,
            cached.columns,
            TableLayout(n_models=MODELS_SHOWN, n_columns=COLUMNS_SHOWN),
            model_link=self._renderer.model_link(request),
        )
        return self._renderer.page(
            request,
            "home.html",
            live_s=_LIVE_S,
            jobs=[self._summary(job) for job in page.jobs],
            n_jobs=page.n_jobs,
            offset=offset,
            a_page=JOBS_A_PAGE,
            counts=jobs.counts(),
            worker_is_alive=self._worker_is_alive(),
            board=table,
        )

    def _summary(self, job: Job) -> JobSummary:
        progress = (
            self._context.jobs.progress(job.id)
            if job.state == "running"
            else JobProgress(sequence=0)
        )
        return summarize(job, progress)

    def _worker_is_alive(self) -> bool:
        heartbeat_at = self._context.jobs.last_heartbeat()
        return heartbeat_at is not None and time.time() - heartbeat_at < _WORKER_HEARTBEAT_TIMEOUT_S
