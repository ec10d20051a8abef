"""The whole server as one ASGI application, from the outside in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from llmeval_server.answering import Answering, ErrorAnswers
from llmeval_server.api.application import make_application
from llmeval_server.api.measuring import Measured, RequestCounts
from llmeval_server.context import ServerContext
from llmeval_server.pages import error_page, make_pages
from llmeval_server.planning.planner import Planner
from llmeval_server.route_apps import RouteApps
from llmeval_server.security.access import Access, Gate
from llmeval_server.security.forwarded import Forwarded
from llmeval_server.security.headers import SecurityHeaders
from llmeval_server.security.hosts import AllowedHosts
from llmeval_server.security.login import login_routes
from llmeval_server.security.origins import SameOrigin
from llmeval_server.security.places import Places
from llmeval_server.security.queries import QueryLimit
from llmeval_server.security.rates import RateLimit
from llmeval_server.security.sizes import SizeLimit
from llmeval_server.site import make_site


def make_app(context: ServerContext) -> ASGIApp:
    """Make the server's ASGI application, with its lifespan; opens nothing before that begins.

    Raises:
        ConfigError: a setting is wrong.
    """
    settings = context.settings
    gate = Gate(settings.token, settings.home) if settings.token is not None else None
    if settings.token is not None:
        context.session.catalog.redactor.add(settings.token.get_secret_value())
    places = Places(tuple(route.prefix for route in context.routes))
    counts = RequestCounts()
    planner = Planner(context)
    answering = Answering(
        places=places, redact=context.session.catalog.redactor, page=error_page(context)
    )

    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        async with planner.running(), routes.alive():
            yield

    ours = make_application(
        context,
        answering=answering,
        counts=counts,
        planner=planner,
        more=[*login_routes(gate), *make_pages(context, planner)],
        alive=alive,
    )
    routes = RouteApps(ours, context.routes, site=make_site(context), places=places)
    return _guarded(routes, context, gate, places=places, counts=counts, answering=answering)


def _guarded(
    app: ASGIApp,
    context: ServerContext,
    gate: Gate | None,
    *,
    places: Places,
    counts: RequestCounts,
    answering: Answering,
) -> ASGIApp:
    """Put the guards around; the last one named here is the first to see a request."""
    settings = context.settings
    app = QueryLimit(app, places=places, most=settings.max_query_values)
    app = SizeLimit(app, places=places, max_bytes=settings.max_request_bytes)
    if gate is not None:
        app = Access(app, gate=gate, places=places)
    app = SameOrigin(app, sessions=gate.sessions if gate is not None else None)
    app = RateLimit(app, places=places, per_minute=settings.requests_per_minute)
    app = AllowedHosts(app, host=settings.host, allowed=settings.allowed_hosts)
    app = ErrorAnswers(app, answering=answering)
    app = SecurityHeaders(app, places=places)
    app = Measured(app, counts=counts, places=places)
    return Forwarded(app, proxies=settings.trusted_proxies, root_path=settings.root_path)
