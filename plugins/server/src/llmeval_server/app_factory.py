"""The whole server as one ASGI application: routes, and the middleware around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from llmeval_server.context import ServerContext
from llmeval_server.error_responses import ErrorMiddleware, ErrorResponder
from llmeval_server.pages import make_error_page, make_pages
from llmeval_server.planning.planner import Planner
from llmeval_server.rest_api.fastapi_app import make_fastapi_app
from llmeval_server.rest_api.request_metrics import RequestCountMiddleware, RequestCounts
from llmeval_server.results_cache import ResultsCache
from llmeval_server.route_apps import RouteApps
from llmeval_server.route_classifier import RouteClassifier
from llmeval_server.route_context import make_route_context
from llmeval_server.security.allowed_hosts import AllowedHostsMiddleware
from llmeval_server.security.authentication import AuthenticationMiddleware, Authenticator
from llmeval_server.security.body_limit import BodyLimitMiddleware
from llmeval_server.security.forwarded_headers import ForwardedHeadersMiddleware
from llmeval_server.security.login_routes import login_routes
from llmeval_server.security.query_limit import QueryLimitMiddleware
from llmeval_server.security.rate_limit import RateLimitMiddleware
from llmeval_server.security.same_origin import SameOriginMiddleware
from llmeval_server.security.security_headers import SecurityHeadersMiddleware


def make_app(context: ServerContext) -> ASGIApp:
    """Make the server's ASGI application; it opens nothing before its lifespan starts.

    Raises:
        ConfigError: a setting is wrong.
    """
    settings = context.settings
    authenticator = (
        Authenticator(settings.token, settings.home) if settings.token is not None else None
    )
    if settings.token is not None:
        context.session.catalog.redactor.add(settings.token.get_secret_value())
    classifier = RouteClassifier(tuple(route.prefix for route in context.routes))
    counts = RequestCounts()
    results = ResultsCache(settings.home)
    planner = Planner(context)
    error_responder = ErrorResponder(
        classifier=classifier,
        redact=context.session.catalog.redactor,
        render_page=make_error_page(context),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with planner.running(), routes.running():
            yield

    own_app = make_fastapi_app(
        context,
        error_responder=error_responder,
        results=results,
        counts=counts,
        planner=planner,
        more=[*login_routes(authenticator), *make_pages(context, planner, results)],
        lifespan=lifespan,
    )
    routes = RouteApps(
        own_app, context.routes, context=make_route_context(context), classifier=classifier
    )
    return _with_middleware(
        routes,
        context,
        authenticator,
        classifier=classifier,
        counts=counts,
        error_responder=error_responder,
    )


def _with_middleware(
    app: ASGIApp,
    context: ServerContext,
    authenticator: Authenticator | None,
    *,
    classifier: RouteClassifier,
    counts: RequestCounts,
    error_responder: ErrorResponder,
) -> ASGIApp:
    """Wrap the application; the last one named here is the first to get a request."""
    settings = context.settings
    app = QueryLimitMiddleware(app, classifier=classifier, most=settings.max_query_values)
    app = BodyLimitMiddleware(app, classifier=classifier, max_bytes=settings.max_request_bytes)
    if authenticator is not None:
        app = AuthenticationMiddleware(app, authenticator=authenticator, classifier=classifier)
    app = SameOriginMiddleware(
        app, sessions=authenticator.sessions if authenticator is not None else None
    )
    app = RateLimitMiddleware(app, classifier=classifier, per_minute=settings.requests_per_minute)
    app = AllowedHostsMiddleware(app, host=settings.host, allowed=settings.allowed_hosts)
    app = ErrorMiddleware(app, error_responder=error_responder)
    app = SecurityHeadersMiddleware(app, classifier=classifier)
    app = RequestCountMiddleware(app, counts=counts, classifier=classifier)
    return ForwardedHeadersMiddleware(
        app, proxies=settings.trusted_proxies, root_path=settings.root_path
    )
