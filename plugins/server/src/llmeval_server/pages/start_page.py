"""The page that starts a job, from a form or a run file, and shows its plan first."""

from __future__ import annotations

from collections.abc import Sequence

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.api import TaskPreview
from llmeval_core.hooks import LlmevalError
from llmeval_server.context import ServerContext
from llmeval_server.error_responses import status_of
from llmeval_server.jobs.job_submission import submit as submit_job
from llmeval_server.pages.page_renderer import Renderer, redirect
from llmeval_server.pages.start_form import StartForm, field_of, parse_form
from llmeval_server.planning.planner import Planner
from llmeval_server.security.client_address import wait_for_disconnect

_EXAMPLE = """\
models: [openai/gpt-4o-mini]
tasks:
  - dataset: commonsense_qa
    shots: [0, 4]
    limit: 100
trackers: [mlflow]
"""
_DEFAULT_TRACKER = "mlflow"


class StartPage:
    """`/start`.

    Args:
        context: the server.
        renderer: renders pages.
        planner: checks and plans run files.
    """

    def __init__(self, context: ServerContext, renderer: Renderer, planner: Planner) -> None:
        self._context = context
        self._renderer = renderer
        self._planner = planner

    def show(self, request: Request) -> Response:
        """Render the empty form, or a job's run file to be started again; blocking."""
        job_id = request.query_params.get("job")
        as_text = job_id is not None or request.query_params.get("as") == "text"
        text = _EXAMPLE
        if job_id is not None:
            run = self._context.jobs.get(job_id).run
            text = yaml.safe_dump(run, sort_keys=False, allow_unicode=True)
        trackers = [name for name in self._trackers() if name == _DEFAULT_TRACKER]
        form = StartForm(trackers=tuple(trackers), text=text if as_text else "", as_text=as_text)
        return self._page(request, form)

    async def submit(self, request: Request) -> Response:
        """Do what the pressed button says: start, show the plan, add rows, or convert to a file."""
        form, action = parse_form(await request.body())
        if action == "rows":
            return await run_in_threadpool(self._page, request, form, n_more_rows=2)
        if action == "text":
            return await run_in_threadpool(self._page, request, form.as_run_file())
        try:
            planned = await self._planner.plan(
                form.run(),
                counts=action == "plan",
                wait_for_disconnect=lambda: wait_for_disconnect(request),
            )
            if planned.tasks is not None:
                return await run_in_threadpool(self._page, request, form, plan=planned.tasks)
            job = await submit_job(self._context.jobs, planned, name=form.name)
        except LlmevalError as err:
            return await run_in_threadpool(self._page, request, form, error=err)
        return redirect(request, f"/jobs/{job.id}")

    def _page(
        self,
        request: Request,
        form: StartForm,
        *,
        n_more_rows: int = 0,
        plan: Sequence[TaskPreview] | None = None,
        error: LlmevalError | None = None,
    ) -> Response:
        catalog = self._context.session.catalog
        return self._renderer.page(
            request,
            "start.html",
            status=200 if error is None else status_of(error),
            form=form.with_empty_rows(n_more_rows),
            plan=plan,
            error=error,
            wrong_field=field_of(error.where) if error is not None and not form.as_text else None,
            providers=catalog.components("models"),
            known_datasets=catalog.components("datasets"),
            known_metrics=catalog.components("metrics"),
            trackers=self._trackers(),
        )

    def _trackers(self) -> list[str]:
        return self._context.session.catalog.names("trackers")
