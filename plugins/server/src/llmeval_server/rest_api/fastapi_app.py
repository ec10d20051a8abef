"""The server's own routes as one FastAPI application: API, pages, login, documentation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from llmeval_core.hooks import LlmevalError
from llmeval_server.context import ServerContext
from llmeval_server.error_responses import ErrorResponder
from llmeval_server.planning.planner import Planner
from llmeval_server.rest_api.catalogue_routes import catalogue_router
from llmeval_server.rest_api.documentation import documentation_routes
from llmeval_server.rest_api.health_routes import health_router
from llmeval_server.rest_api.job_events import StreamFinishedError
from llmeval_server.rest_api.job_poller import JobPoller
from llmeval_server.rest_api.job_routes import job_router
from llmeval_server.rest_api.metric_routes import metric_router
from llmeval_server.rest_api.plan_routes import plan_router
from llmeval_server.rest_api.request_metrics import RequestCounts
from llmeval_server.rest_api.result_routes import result_router
from llmeval_server.rest_api.sample_routes import sample_router
from llmeval_server.results_cache import ResultsCache
from llmeval_server.route_classifier import route_path

_DESCRIPTION = """\
Submit evaluations as jobs, follow them, and read their results.

Where the server has a token, send it as `Authorization: Bearer TOKEN`. Every error looks like
`{"error": {"what": "...", "where": "...", "hint": "..."}}`. Times are seconds since 1970, UTC.
"""
_SECURITY_SCHEMES = {"token": {"type": "http", "scheme": "bearer"}}


def make_fastapi_app(
    context: ServerContext,
    *,
    error_responder: ErrorResponder,
    results: ResultsCache,
    counts: RequestCounts,
    planner: Planner,
    more: list[BaseRoute],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
) -> FastAPI:
    """Make the application.

    Args:
        context: the server.
        error_responder: turns errors into responses.
        results: the task results.
        counts: the counted requests, for the metrics.
        planner: checks and plans run files.
        more: routes that are not in the OpenAPI document, such as pages.
        lifespan: the application's lifespan.
    """
    app = FastAPI(
        title="llmeval",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    poller = JobPoller(context.jobs)
    routers = (
        job_router(context, poller, planner),
        plan_router(planner),
        result_router(results),
        sample_router(context),
        catalogue_router(context),
        health_router(context),
        metric_router(context, results, counts),
    )
    for router in routers:
        app.include_router(router)
    app.router.routes.extend([*documentation_routes(), *more])
    _document_token(app, needs_token=context.settings.token is not None)
    _add_error_handlers(app, error_responder, methods=_methods(routers))
    return app


def _methods(routers: Iterable[APIRouter]) -> dict[str, set[str]]:
    """Collect the methods of each path, whose methods are spread over several routes."""
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for router in routers:
        for route in router.routes:
            if isinstance(route, Route):
                methods[route.path] |= route.methods or set()
    return dict(methods)


def _document_token(app: FastAPI, *, needs_token: bool) -> None:
    """Add the token to the OpenAPI document."""
    plain = app.openapi

    def with_token() -> dict[str, object]:
        document = plain()
        if needs_token:
            document["components"]["securitySchemes"] = _SECURITY_SCHEMES
            document["security"] = [{"token": []}]
        return document

    # FastAPI's documented way to change the document is to replace this method.
    app.openapi = with_token  # type: ignore[method-assign]


def _add_error_handlers(
    app: FastAPI, error_responder: ErrorResponder, *, methods: Mapping[str, set[str]]
) -> None:
    async def on_llmeval_error(request: Request, err: Exception) -> Response:
        assert isinstance(err, LlmevalError)
        return error_responder.error_response(request, err)

    async def on_validation_error(request: Request, err: Exception) -> Response:
        assert isinstance(err, RequestValidationError)
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        error = LlmevalError(
            f"wrong value: {first['msg']}", where=where, hint="/api/docs has the API"
        )
        return error_responder.error_response(request, error, 422)

    async def on_http_exception(request: Request, err: Exception) -> Response:
        assert isinstance(err, HTTPException)
        is_api = route_path(request.scope).startswith("/api/")
        hint = "/api/docs has the API" if is_api else None
        response = error_responder.error_response(
            request, LlmevalError(str(err.detail).lower(), hint=hint), err.status_code
        )
        response.headers.update(err.headers or {})
        allowed = methods.get(getattr(request.scope.get("route"), "path", ""))
        if err.status_code == 405 and allowed:
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    async def on_finished_stream(request: Request, err: Exception) -> Response:
        return Response(status_code=204)

    async def on_bug(request: Request, err: Exception) -> Response:
        return error_responder.bug_response(request)

    app.add_exception_handler(LlmevalError, on_llmeval_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(StreamFinishedError, on_finished_stream)
    app.add_exception_handler(Exception, on_bug)
