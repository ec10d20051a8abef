"""The diagnosis as an ASGI application: the page, its buttons, and redirects to models' runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qs, quote

import aiohttp

from llmeval_core.hooks import LlmevalError, RouteContext
from llmeval_mlflow_proxy.cross_origin import foreign_origin
from llmeval_mlflow_proxy.diagnosis.destinations import Destination
from llmeval_mlflow_proxy.diagnosis.diagnose import destinations_of, diagnose
from llmeval_mlflow_proxy.diagnosis.diagnosis_pages import DiagnosisPages, PageContext, style
from llmeval_mlflow_proxy.diagnosis.diagnosis_texts import translate, translations
from llmeval_mlflow_proxy.diagnosis.experiment_runs import (
    find_experiment,
    find_run,
    restore_experiment,
)
from llmeval_mlflow_proxy.diagnosis.mlflow_api import MlflowApi, open_mlflow_api
from llmeval_mlflow_proxy.diagnosis.redaction import redacted
from llmeval_mlflow_proxy.lifespan import Send, serve_lifespan
from llmeval_mlflow_proxy.page_language import language_of
from llmeval_mlflow_proxy.proxied_headers import first
from llmeval_mlflow_proxy.request_body import Receive, Scope
from llmeval_mlflow_proxy.request_paths import outer_prefix, rest_of_path
from llmeval_mlflow_proxy.settings import DIAGNOSIS_PREFIX, MLFLOW_PREFIX, ProxySettings
from llmeval_mlflow_proxy.upstream import Upstream, UpstreamProvider

T = TypeVar("T")

_MAX_FORM_BYTES = 10_000
_READING = frozenset(("GET", "HEAD"))
_BUTTONS = frozenset(("/restore", "/deliver", "/heal"))
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; form-action 'self'; "
        b"base-uri 'none'; frame-ancestors 'none'",
    ),
)


@dataclass(frozen=True, slots=True)
class PageResponse:
    """A response: status, body and content type, or the target of a redirect."""

    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    location: str | None = None


class DiagnosisApp:
    """An ASGI application with the diagnosis of one MLflow server.

    Args:
        provider: says which MLflow server is shown.
        settings: allowed origins, and secrets that are never shown.
        context: of the server that we are part of.
    """

    def __init__(
        self, provider: UpstreamProvider, settings: ProxySettings, context: RouteContext
    ) -> None:
        self._provider = provider
        self._settings = settings
        self._context = context
        self._pages = DiagnosisPages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one lifespan or request."""
        match scope["type"]:
            case "lifespan":
                await serve_lifespan(receive, send, contextlib.nullcontext())
            case "websocket":
                await send({"type": "websocket.close", "code": 1008})
            case "http":
                await _send(scope, send, await self._respond(scope, receive))

    async def _respond(self, scope: Scope, receive: Receive) -> PageResponse:
        origin = foreign_origin(scope, self._settings.allowed_origins)
        if origin is not None:
            return _text(403, translate("foreign", language_of(scope)))
        path = rest_of_path(scope)
        if scope["method"] == "POST" and path in _BUTTONS:
            return await self._diagnosis(scope, await self._press(path, scope, receive))
        match path, scope["method"] in _READING:
            case (("" | "/"), True):
                return await self._diagnosis(scope)
            case "/style.css", True:
                return PageResponse(200, style(), "text/css; charset=utf-8")
            case "/run", True:
                return await self._run(scope)
        return _text(404, "there is no such page")

    async def _diagnosis(self, scope: Scope, message: str | None = None) -> PageResponse:
        diagnosis = await diagnose(
            self._provider, self._context, settings=self._settings, origin=_origin(scope)
        )
        if _query(scope, "format") == "json":
            text = json.dumps(diagnosis.as_json(), ensure_ascii=False, indent=2)
            return PageResponse(200, text.encode(), "application/json")
        page = _page_context(scope)
        return PageResponse(200, self._pages.diagnosis(page, diagnosis, message=message).encode())

    async def _run(self, scope: Scope) -> PageResponse:
        """Redirect to the page of a model's run in MLflow, or show why there is none."""
        page = _page_context(scope)
        model = _query(scope, "model")
        reasons = []
        for destination in await self._destinations(scope):
            if destination.place is not None and destination.server is None:
                continue
            found = await self._with_client(
                partial(_find_run_page, destination=destination, model=model, page=page),
                destination,
            )
            if isinstance(found, PageResponse):
                return found
            reasons.append(found)
        reason = next(filter(None, reasons), None)
        text = reason or translate("run.no_server", page.language)
        return PageResponse(404 if reason else 503, self._pages.no_run(page, text).encode())

    async def _destinations(self, scope: Scope) -> list[Destination]:
        return await asyncio.to_thread(
            destinations_of, self._context, self._settings, _origin(scope)
        )

    async def _press(self, button: str, scope: Scope, receive: Receive) -> str:
        """Do what a button is for; return how it went."""
        if button == "/restore":
            return await self._restore(scope, receive)
        deliver = self._context.deliver if button == "/deliver" else self._context.deliver_again
        return await self._deliver(scope, receive, deliver)

    async def _restore(self, scope: Scope, receive: Receive) -> str:
        texts = translations(language_of(scope))
        tracker = (await _form(receive)).get("tracker", [""])[0]
        destinations = await self._destinations(scope)
        named = [one for one in destinations if one.tracker == tracker]
        destination = (named or destinations)[0]
        is_restored = await self._with_client(
            partial(restore_experiment, name=destination.experiment), destination
        )
        if is_restored is None:
            return texts["done.no_server"]
        return texts["done.restored" if is_restored else "done.not_restored"]

    async def _deliver(self, scope: Scope, receive: Receive, deliver: Callable[[str], str]) -> str:
        tracker = (await _form(receive)).get("tracker", [""])[0]
        try:
            known = {
                status.tracker for status in await asyncio.to_thread(self._context.tracker_statuses)
            }
            if tracker not in known:
                return translations(language_of(scope))["done.unknown_tracker"]
            outcome = await asyncio.to_thread(deliver, tracker)
        except LlmevalError as err:
            outcome = str(err)
        return redacted(outcome, self._settings.secrets)

    async def _with_client(
        self, function: Callable[[MlflowApi], Awaitable[T]], destination: Destination
    ) -> T | None:
        """Call a function with a client for a destination's MLflow; None if it is not reached."""
        upstream = destination.server or self._provider.upstream()
        if not isinstance(upstream, Upstream):
            return None
        try:
            async with open_mlflow_api(upstream) as client:
                return await function(client)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


async def _find_run_page(
    client: MlflowApi, *, destination: Destination, model: str, page: PageContext
) -> PageResponse | str:
    """Return a redirect to a model's run, or the reason why there is none."""
    name = destination.experiment
    experiment = await find_experiment(client, name)
    if experiment is None or not experiment.is_active:
        return translate("run.no_experiment", page.language, experiment=name)
    run = await find_run(client, experiment, model)
    if run is None:
        return translate("run.missing", page.language, experiment=name, model=model)
    mlflow = page.mlflow if destination.is_shown else client.upstream.url
    address = f"{mlflow}/#/experiments/{quote(experiment.id)}/runs/{quote(run.id)}"
    return PageResponse(303, location=address)


def _origin(scope: Scope) -> str | None:
    host = first(scope["headers"], b"host")
    return f"{scope.get('scheme', 'http')}://{host}" if host else None


def _page_context(scope: Scope) -> PageContext:
    prefix = outer_prefix(scope)
    root = prefix.removesuffix(DIAGNOSIS_PREFIX)
    return PageContext(language_of(scope), prefix, root + MLFLOW_PREFIX, root)


def _query(scope: Scope, name: str) -> str:
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return str(query.get(name, [""])[-1])


async def _form(receive: Receive) -> dict[str, list[str]]:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        is_over = message["type"] == "http.disconnect" or not message.get("more_body", False)
        if is_over or len(body) > _MAX_FORM_BYTES:
            return parse_qs(body[:_MAX_FORM_BYTES].decode("utf-8", "replace"))


def _text(status: int, text: str) -> PageResponse:
    return PageResponse(status, text.encode(), "text/plain; charset=utf-8")


async def _send(scope: Scope, send: Send, response: PageResponse) -> None:
    headers = [
        *_HEADERS,
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
    ]
    if response.location is not None:
        headers.append((b"location", response.location.encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})
