"""The diagnosis as an ASGI application: the page, its buttons, and the way to a model's run."""

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
from llmeval_mlflow_proxy.diagnosis.asking import Asker, asking
from llmeval_mlflow_proxy.diagnosis.destinations import Destination
from llmeval_mlflow_proxy.diagnosis.diagnose import destinations_of, diagnose
from llmeval_mlflow_proxy.diagnosis.page import Pages, Visit, style
from llmeval_mlflow_proxy.diagnosis.redaction import redacted
from llmeval_mlflow_proxy.diagnosis.runs import (
    find_experiment,
    find_run,
    restore_experiment,
)
from llmeval_mlflow_proxy.diagnosis.words import say, words
from llmeval_mlflow_proxy.headers import first
from llmeval_mlflow_proxy.languages import language_of
from llmeval_mlflow_proxy.lifespan import Send, serve_lifespan
from llmeval_mlflow_proxy.origins import foreign_origin
from llmeval_mlflow_proxy.paths import outer_prefix, rest_of_path
from llmeval_mlflow_proxy.receiving import Receive, Scope
from llmeval_mlflow_proxy.settings import DIAGNOSIS_PREFIX, MLFLOW_PREFIX, ProxySettings
from llmeval_mlflow_proxy.upstream import Source, Upstream

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
class Reply:
    """An answer: status, body, and what kind of thing that is, or where to go instead."""

    status: int
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    location: str | None = None


class DiagnosisApp:
    """An ASGI application with the diagnosis of one MLflow server.

    Args:
        source: knows the MLflow server.
        settings: allowed origins, and secrets that are never shown.
        site: the server that we are part of.
    """

    def __init__(self, source: Source, settings: ProxySettings, site: RouteContext) -> None:
        self._source = source
        self._settings = settings
        self._site = site
        self._pages = Pages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one lifespan or request."""
        match scope["type"]:
            case "lifespan":
                await serve_lifespan(receive, send, contextlib.nullcontext())
            case "websocket":
                await send({"type": "websocket.close", "code": 1008})
            case "http":
                await _send(scope, send, await self._reply(scope, receive))

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        origin = foreign_origin(scope, self._settings.allowed_origins)
        if origin is not None:
            return _text(403, say("foreign", language_of(scope)))
        path = rest_of_path(scope)
        if scope["method"] == "POST" and path in _BUTTONS:
            return await self._diagnosis(scope, await self._press(path, scope, receive))
        match path, scope["method"] in _READING:
            case (("" | "/"), True):
                return await self._diagnosis(scope)
            case "/style.css", True:
                return Reply(200, style(), "text/css; charset=utf-8")
            case "/run", True:
                return await self._run(scope)
        return _text(404, "there is no such page")

    async def _diagnosis(self, scope: Scope, message: str | None = None) -> Reply:
        diagnosis = await diagnose(
            self._source, self._site, settings=self._settings, origin=_origin(scope)
        )
        if _query(scope, "format") == "json":
            text = json.dumps(diagnosis.as_json(), ensure_ascii=False, indent=2)
            return Reply(200, text.encode(), "application/json")
        visit = _visit(scope)
        return Reply(200, self._pages.diagnosis(visit, diagnosis, message=message).encode())

    async def _run(self, scope: Scope) -> Reply:
        """Lead to the page of a model's run in MLflow, or say why there is none."""
        visit = _visit(scope)
        model = _query(scope, "model")
        reasons = []
        for destination in await self._destinations(scope):
            if destination.place is not None and destination.server is None:
                continue
            found = await self._ask(
                partial(_find_run_page, destination=destination, model=model, visit=visit),
                destination,
            )
            if isinstance(found, Reply):
                return found
            reasons.append(found)
        reason = next(filter(None, reasons), None)
        text = reason or say("run.no_server", visit.language)
        return Reply(404 if reason else 503, self._pages.no_run(visit, text).encode())

    async def _destinations(self, scope: Scope) -> list[Destination]:
        return await asyncio.to_thread(destinations_of, self._site, self._settings, _origin(scope))

    async def _press(self, button: str, scope: Scope, receive: Receive) -> str:
        """Do what a button says, and say how it went."""
        if button == "/restore":
            return await self._restore(scope, receive)
        deliver = self._site.deliver if button == "/deliver" else self._site.deliver_again
        return await self._deliver(scope, receive, deliver)

    async def _restore(self, scope: Scope, receive: Receive) -> str:
        texts = words(language_of(scope))
        tracker = (await _form(receive)).get("tracker", [""])[0]
        destinations = await self._destinations(scope)
        named = [one for one in destinations if one.tracker == tracker]
        destination = (named or destinations)[0]
        is_restored = await self._ask(
            partial(restore_experiment, name=destination.experiment), destination
        )
        if is_restored is None:
            return texts["done.no_server"]
        return texts["done.restored" if is_restored else "done.not_restored"]

    async def _deliver(self, scope: Scope, receive: Receive, deliver: Callable[[str], str]) -> str:
        tracker = (await _form(receive)).get("tracker", [""])[0]
        try:
            known = {
                status.tracker for status in await asyncio.to_thread(self._site.tracker_statuses)
            }
            if tracker not in known:
                return words(language_of(scope))["done.unknown_tracker"]
            outcome = await asyncio.to_thread(deliver, tracker)
        except LlmevalError as err:
            outcome = str(err)
        return redacted(outcome, self._settings.secrets)

    async def _ask(
        self, question: Callable[[Asker], Awaitable[T]], destination: Destination
    ) -> T | None:
        """Put a question to the MLflow of a destination; None if it cannot be asked."""
        upstream = destination.server or self._source.upstream()
        if not isinstance(upstream, Upstream):
            return None
        try:
            async with asking(upstream) as asker:
                return await question(asker)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


async def _find_run_page(
    asker: Asker, *, destination: Destination, model: str, visit: Visit
) -> Reply | str:
    """Lead to a model's run, or say why there is none."""
    name = destination.experiment
    experiment = await find_experiment(asker, name)
    if experiment is None or not experiment.is_active:
        return say("run.no_experiment", visit.language, experiment=name)
    run = await find_run(asker, experiment, model)
    if run is None:
        return say("run.missing", visit.language, experiment=name, model=model)
    page = f"/#/experiments/{quote(experiment.id)}/runs/{quote(run.id)}"
    return Reply(
        303, location=(visit.mlflow if destination.is_shown else asker.upstream.url) + page
    )


def _origin(scope: Scope) -> str | None:
    host = first(scope["headers"], b"host")
    return f"{scope.get('scheme', 'http')}://{host}" if host else None


def _visit(scope: Scope) -> Visit:
    prefix = outer_prefix(scope)
    root = prefix.removesuffix(DIAGNOSIS_PREFIX)
    return Visit(language_of(scope), prefix, root + MLFLOW_PREFIX, root)


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


def _text(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), "text/plain; charset=utf-8")


async def _send(scope: Scope, send: Send, reply: Reply) -> None:
    headers = [
        *_HEADERS,
        (b"content-type", reply.kind.encode()),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    if reply.location is not None:
        headers.append((b"location", reply.location.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else reply.body
    await send({"type": "http.response.body", "body": body})
