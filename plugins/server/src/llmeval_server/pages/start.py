"""The page that starts a job: a form, or a run file; the plan before anything is spent."""

from __future__ import annotations

import asyncio

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.hooks import ConfigError, LlmevalError
from llmeval_core.library import Plan, TaskPreview, existing_journal, preview
from llmeval_server.context import ServerContext
from llmeval_server.jobs.submitting import check, submit
from llmeval_server.pages.rendering import Renderer, redirect
from llmeval_server.pages.start_form import StartForm, field_of, read_form

_EXAMPLE = """\
models: [openai/gpt-4o-mini]
tasks:
  - dataset: commonsense_qa
    shots: [0, 4]
    limit: 100
trackers: [mlflow]
"""
_USUAL_TRACKER = "mlflow"


class StartPage:
    """`/start`.

    Args:
        context: the server's plugins and jobs.
        renderer: makes pages.
    """

    def __init__(self, context: ServerContext, renderer: Renderer) -> None:
        self._context = context
        self._renderer = renderer

    def show(self, request: Request) -> Response:
        """Render the empty form, or a job's run file to start again; blocking."""
        job_id = request.query_params.get("job")
        as_text = job_id is not None or request.query_params.get("as") == "text"
        text = _EXAMPLE
        if job_id is not None:
            run = self._context.jobs.get(job_id).run
            text = yaml.safe_dump(run, sort_keys=False, allow_unicode=True)
        usual = [name for name in self._trackers() if name == _USUAL_TRACKER]
        form = StartForm(trackers=tuple(usual), text=text if as_text else "", as_text=as_text)
        return self._page(request, form)

    async def take(self, request: Request) -> Response:
        """Do what the pressed button says: start, show the plan, make room, or write it out."""
        form, action = read_form(await request.body())
        if action == "rows":
            return await run_in_threadpool(self._page, request, form, room=2)
        if action == "text":
            return await run_in_threadpool(self._page, request, form.written_out())
        try:
            if action == "plan":
                checked = await check(self._context, form.run())
                # Not among the threads that answer quick requests: it reads whole data sets.
                counted = await asyncio.to_thread(self._preview, checked.plan)
                return await run_in_threadpool(self._page, request, form, plan=counted)
            job = await submit(self._context, form.run(), name=form.name)
        except LlmevalError as err:
            return await run_in_threadpool(self._page, request, form, error=err)
        return redirect(request, f"/jobs/{job.id}")

    def _page(
        self,
        request: Request,
        form: StartForm,
        *,
        room: int = 0,
        plan: list[TaskPreview] | None = None,
        error: LlmevalError | None = None,
    ) -> Response:
        catalog = self._context.session.catalog
        return self._renderer.page(
            request,
            "start.html",
            status=422 if error is not None else 200,
            form=form.with_room(room),
            plan=plan,
            error=error,
            wrong_field=field_of(error.where) if error is not None and not form.as_text else None,
            providers=catalog.offers("models"),
            known_datasets=catalog.offers("datasets"),
            known_metrics=catalog.offers("metrics"),
            trackers=self._trackers(),
        )

    def _trackers(self) -> list[str]:
        return self._context.session.catalog.names("trackers")

    def _preview(self, plan: Plan) -> list[TaskPreview]:
        try:
            journal = existing_journal(self._context.settings.home)
        except ConfigError:  # before the first run
            return preview(plan, None)
        with journal:
            return preview(plan, journal)
