"""A job's page: its progress, log, results and errors, and its buttons."""

from __future__ import annotations

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.hooks import TaskResult
from llmeval_server.context import ServerContext
from llmeval_server.jobs.job_records import Job
from llmeval_server.pages.job_summary import summarize
from llmeval_server.pages.page_renderer import Renderer, redirect
from llmeval_server.results_cache import ResultsCache

_LIVE_S = 1.0
_LOG_TAIL_BYTES = 40_000


class JobPages:
    """`/jobs/{job_id}`, and the actions of its buttons.

    Args:
        context: the server.
        renderer: renders pages.
        results: the task results.
    """

    def __init__(self, context: ServerContext, renderer: Renderer, results: ResultsCache) -> None:
        self._jobs = context.jobs
        self._renderer = renderer
        self._results_cache = results

    def show(self, request: Request) -> Response:
        """Render the page; blocking."""
        job = self._jobs.get(request.path_params["job_id"])
        log, is_cut = self._log_tail(job.id)
        return self._renderer.page(
            request,
            "job.html",
            live_s=None if job.is_over else _LIVE_S,
            state=summarize(job, self._jobs.progress(job.id)),
            log=log,
            log_is_cut=is_cut,
            run_file=yaml.safe_dump(job.run, sort_keys=False, allow_unicode=True),
            results=self._results(job),
        )

    async def cancel(self, request: Request) -> Response:
        """Ask the job to stop, and show it."""
        job = await run_in_threadpool(self._jobs.cancel, request.path_params["job_id"])
        return redirect(request, f"/jobs/{job.id}")

    async def retry(self, request: Request) -> Response:
        """Queue the job again, and show it."""
        job = await run_in_threadpool(self._jobs.retry, request.path_params["job_id"])
        return redirect(request, f"/jobs/{job.id}")

    def _results(self, job: Job) -> list[TaskResult]:
        wanted = set(job.outcome.results) if job.outcome is not None else set()
        return [result for result in self._results_cache.snapshot().results if result.id in wanted]

    def _log_tail(self, job_id: str) -> tuple[str, bool]:
        """Return the last lines of the log, and whether there are earlier ones."""
        text, end = self._jobs.log(job_id)
        while True:  # a call returns only a part of a long log
            more, reached = self._jobs.log(job_id, offset=end)
            if reached == end:
                break
            text, end = (text + more)[-_LOG_TAIL_BYTES:], reached
        if end <= _LOG_TAIL_BYTES:
            return text, False
        return text[-_LOG_TAIL_BYTES:].partition("\n")[2], True
