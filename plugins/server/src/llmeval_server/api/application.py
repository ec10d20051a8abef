"""Everything of ours as one FastAPI application: API, pages, logins, documentation."""

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
from llmeval_server.answering import Answering
from llmeval_server.api.catalogue import catalogue_router
from llmeval_server.api.documentation import documentation_routes
from llmeval_server.api.health import health_router
from llmeval_server.api.jobs import job_router
from llmeval_server.api.measuring import RequestCounts
from llmeval_server.api.metrics import metric_router
from llmeval_server.api.plans import plan_router
from llmeval_server.api.results import result_router
from llmeval_server.api.samples import sample_router
from llmeval_server.api.watching import Watch
from llmeval_server.context import ServerContext
from llmeval_server.planning.planner import Planner
from llmeval_server.security.places import route_path

_DESCRIPTION = """\
Submit evaluations as jobs, follow them, and read their results.

Where the server has a token, send it as `Authorization: Bearer TOKEN`. Every error looks like
`{"error": {"what": "...", "where": "...", "hint": "..."}}`. Times are seconds since 1970, UTC.
"""
_SCHEMES = {"token": {"type": "http", "scheme": "bearer"}}


def make_application(
    context: ServerContext,
    *,
    answering: Answering,
    counts: RequestCounts,
    planner: Planner,
    more: list[BaseRoute],
    alive: Callable[[FastAPI], AbstractAsyncContextManager[None]],
) -> FastAPI:
    """Make the application.

    Args:
        context: the server.
        answering: turns errors into answers.
        counts: of requests, for the metrics.
        planner: checks and plans run files.
        more: routes that stand in no document, such as pages.
        alive: what lives as long as the application.
    """
    app = FastAPI(
        title="llmeval",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=alive,
        redirect_slashes=False,
    )
    watch = Watch(context.jobs)
    routers = (
        job_router(context, watch, planner),
        plan_router(planner),
        result_router(context),
        sample_router(context),
        catalogue_router(context),
        health_router(context),
        metric_router(context, counts),
    )
    for router in routers:
        app.include_router(router)
    app.router.routes.extend([*documentation_routes(), *more])
    _say_how_to_log_in(app, needs_token=context.settings.token is not None)
    _answer_errors(app, answering, methods=_methods(routers))
    return app


def _methods(routers: Iterable[APIRouter]) -> dict[str, set[str]]:
    """Collect the methods of each path: a route knows only its own."""
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for router in routers:
        for route in router.routes:
            if isinstance(route, Route):
                methods[route.path] |= route.methods or set()
    return dict(methods)


def _say_how_to_log_in(app: FastAPI, *, needs_token: bool) -> None:
    """Put the token into the OpenAPI document."""
    plain = app.openapi

    def with_token() -> dict[str, object]:
        document = plain()
        if needs_token:
            document["components"]["securitySchemes"] = _SCHEMES
            document["security"] = [{"token": []}]
        return document

    # FastAPI's documented way to change the document is to replace this method.
    app.openapi = with_token  # type: ignore[method-assign]


def _answer_errors(app: FastAPI, answering: Answering, *, methods: Mapping[str, set[str]]) -> None:
    async def of_ours(request: Request, err: Exception) -> Response:
        assert isinstance(err, LlmevalError)
        return answering.of_error(request, err)

    async def of_arguments(request: Request, err: Exception) -> Response:
        assert isinstance(err, RequestValidationError)
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        error = LlmevalError(
            f"wrong value: {first['msg']}", where=where, hint="/api/docs has the API"
        )
        return answering.of_error(request, error, 422)

    async def of_http(request: Request, err: Exception) -> Response:
        assert isinstance(err, HTTPException)
        is_api = route_path(request.scope).startswith("/api/")
        hint = "/api/docs has the API" if is_api else None
        response = answering.of_error(
            request, LlmevalError(str(err.detail).lower(), hint=hint), err.status_code
        )
        response.headers.update(err.headers or {})
        allowed = methods.get(getattr(request.scope.get("route"), "path", ""))
        if err.status_code == 405 and allowed:
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    async def of_bug(request: Request, err: Exception) -> Response:
        return answering.of_bug(request)

    app.add_exception_handler(LlmevalError, of_ours)
    app.add_exception_handler(RequestValidationError, of_arguments)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, of_bug)
