"""The reverse proxy: an ASGI application that passes requests on and holds nothing back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from llmeval_mlflow_proxy.answering import redirect_to_slash, send_response
from llmeval_mlflow_proxy.body_rules import LARGEST_BODY_BYTES, ForbiddenLocationError
from llmeval_mlflow_proxy.client import new_session, reason_of, tls_of
from llmeval_mlflow_proxy.headers import (
    LOOP_HEADER,
    AnswerHeaders,
    first,
    request_headers,
    with_length,
)
from llmeval_mlflow_proxy.json_bodies import UnreadableError
from llmeval_mlflow_proxy.lifespan import Send, serve_lifespan
from llmeval_mlflow_proxy.origins import foreign_origin
from llmeval_mlflow_proxy.paths import outer_prefix, plain_path, rest_of_path
from llmeval_mlflow_proxy.receiving import (
    ClientGoneError,
    Receive,
    RequestBody,
    Scope,
    TooLargeError,
    while_client_stays,
)
from llmeval_mlflow_proxy.refused import Rules
from llmeval_mlflow_proxy.trouble import Trouble, answer_trouble
from llmeval_mlflow_proxy.upstream import Absence, Source, Upstream

_ANSWER_S = 300.0  # how long an upstream that has the whole request may think

_CLOSE_S = 1.0
_LEAVE_OUT = (
    "leave it out, or start the name with mlflow-artifacts:/; "
    "LLMEVAL_MLFLOW_ARTIFACT_ROOTS on the server allows more"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where one request goes.

    Args:
        upstream: the server.
        rest: the raw path below its URL.
        prefix: our prefix, as the browser has it.
    """

    upstream: Upstream
    rest: str
    prefix: str


class Proxy:
    """An ASGI application that shows another server's pages under a prefix.

    Args:
        source: knows the other server.
        home: the project's folder, where a server of our own keeps its files.
        name: what people call the other server.
        rules: say what is not passed on.
        allowed_origins: web origins besides our own that may send unsafe requests.
        diagnosis: the prefix of a page that says what is wrong; None if there is none.
    """

    def __init__(
        self,
        source: Source,
        home: Path,
        *,
        name: str,
        rules: Rules,
        allowed_origins: Collection[str] = (),
        diagnosis: str | None = None,
    ) -> None:
        self._source = source
        self._home = home
        self._name = name
        self._rules = rules
        self._allowed_origins = allowed_origins
        self._diagnosis = diagnosis
        self._session: aiohttp.ClientSession | None = None
        self._tls: dict[Path, Any] = {}  # Any: aiohttp takes a context or a bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one lifespan, request or (with a polite no) WebSocket."""
        match scope["type"]:
            case "lifespan":
                await serve_lifespan(receive, send, self._running())
            case "websocket":
                reason = f"there are no WebSockets to {self._name}"
                await send({"type": "websocket.close", "code": 1008, "reason": reason})
            case "http":
                await self._serve(scope, receive, send)

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        await self._source.start(self._home)
        session = self._session = new_session()
        try:
            yield
        finally:
            self._session = None
            await self._source.stop()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):  # connections may still be in use
                    await session.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        rest = rest_of_path(scope)
        if not rest:
            await redirect_to_slash(scope, send)
            return
        upstream = self._source.upstream()
        trouble = self._refusal(scope, rest) or _absent(upstream)
        if trouble is None and self._session is None:
            trouble = Trouble(503, "TEMPORARILY_UNAVAILABLE", "starting", "the server is starting")
        if trouble is not None:
            await self._answer(scope, send, trouble)
            return
        assert isinstance(upstream, Upstream)
        body = RequestBody(scope, receive)
        target = _Target(upstream, rest, outer_prefix(scope))
        async with while_client_stays(body):
            checked = await self._checked(scope, rest, body)
            if isinstance(checked, Trouble):
                await self._answer(scope, send, checked)
            elif checked is not None:
                await self._pass(checked, send, target, body)

    async def _checked(self, scope: Scope, rest: str, body: RequestBody) -> Scope | Trouble | None:
        """Read a body that must not be passed on unread; None if the client left meanwhile."""
        path = plain_path(rest)
        rule = None if path is None else self._rules.body_rule(scope["method"], path)
        if rule is None or body.is_empty:
            return scope
        encoding = (first(scope["headers"], b"content-encoding") or "").strip().lower()
        try:
            raw = await body.read(LARGEST_BODY_BYTES)
            whole = rule(raw, encoding)
        except ClientGoneError:
            return None
        except TooLargeError:
            cause = f"the body is larger than {LARGEST_BODY_BYTES:,} bytes"
            return Trouble(413, "REQUEST_LIMIT_EXCEEDED", "refused", cause)
        except UnreadableError as err:
            return Trouble(400, "INVALID_PARAMETER_VALUE", "refused", str(err))
        except ForbiddenLocationError as err:
            return Trouble(403, "PERMISSION_DENIED", "refused", str(err), _LEAVE_OUT)
        body.replace(whole)
        return {**scope, "headers": with_length(scope["headers"], len(whole))}

    def _refusal(self, scope: Scope, rest: str) -> Trouble | None:
        path = plain_path(rest)
        if path is None:
            return Trouble(400, "BAD_REQUEST", "bad_path", "the path leaves the place it is in")
        query = scope["query_string"].decode("latin-1")
        refused = self._rules.refusal(scope["method"], path, query)
        if refused is not None:
            return Trouble(403, "PERMISSION_DENIED", "refused", refused)
        origin = foreign_origin(scope, self._allowed_origins)
        if origin is not None:
            return Trouble(
                403,
                "PERMISSION_DENIED",
                "foreign",
                f"the request comes from a page of another site: {origin}",
                "if that site is yours, name it in LLMEVAL_ALLOWED_ORIGINS",
            )
        if first(scope["headers"], LOOP_HEADER) == outer_prefix(scope):
            return Trouble(
                508,
                "BAD_REQUEST",
                "loop",
                f"the URL configured for {self._name} is this very page",
                "point MLFLOW_TRACKING_URI to MLflow itself, or leave it out",
            )
        return None

    async def _answer(self, scope: Scope, send: Send, trouble: Trouble) -> None:
        diagnosis = None
        if self._diagnosis is not None:
            # Our prefix's last part is replaced by that of the diagnosis.
            diagnosis = outer_prefix(scope).rpartition("/")[0] + self._diagnosis
        await answer_trouble(scope, send, trouble, name=self._name, diagnosis=diagnosis)

    async def _pass(self, scope: Scope, send: Send, target: _Target, body: RequestBody) -> None:
        upstream = target.upstream
        try:
            response = await self._ask(scope, target, body)
        except ClientGoneError:
            return
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            if isinstance(err.__cause__, ClientGoneError):
                return
            reason = reason_of(err)
            _log.warning("%s at %s: %s", self._name, upstream.url, reason)
            is_slow = isinstance(err, TimeoutError)
            await self._answer(
                scope,
                send,
                Trouble(
                    504 if is_slow else 502,
                    "TEMPORARILY_UNAVAILABLE",
                    "down",
                    f"{self._name} at {upstream.url}: {reason}",
                    f"start {self._name}, or correct its URL in the settings",
                ),
            )
            return
        async with response:
            try:
                await send_response(scope, send, response, AnswerHeaders(upstream, target.prefix))
            except aiohttp.ClientError as err:
                # The answer has begun: leaving it unfinished tells the client that it is cut.
                _log.warning("%s broke off in the middle: %s", self._name, reason_of(err))

    async def _ask(
        self, scope: Scope, target: _Target, body: RequestBody
    ) -> aiohttp.ClientResponse:
        assert self._session is not None
        upstream, rest = target.upstream, target.rest
        query = scope["query_string"].decode("latin-1").replace("#", "%23")
        url = f"{upstream.url}{rest}?{query}" if query else upstream.url + rest
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_ANSWER_S) as patience:

            def be_patient() -> None:
                with contextlib.suppress(RuntimeError):  # the answer came before the body's end
                    patience.reschedule(loop.time() + _ANSWER_S)

            return await self._session.request(
                scope["method"],
                URL(url, encoded=True),
                headers=request_headers(scope, upstream, prefix=target.prefix),
                data=None if body.is_empty else body.pieces(be_patient),
                allow_redirects=False,
                ssl=await self._trust(upstream),
            )

    async def _trust(self, upstream: Upstream) -> Any:  # Any: a context or a bool
        if upstream.ca_file is None or not upstream.verify_tls:
            return tls_of(upstream)
        if upstream.ca_file not in self._tls:
            self._tls[upstream.ca_file] = await asyncio.to_thread(tls_of, upstream)
        return self._tls[upstream.ca_file]


def _absent(upstream: Upstream | Absence) -> Trouble | None:
    if isinstance(upstream, Upstream):
        return None
    status = {"starting": 503, "failed": 502, "none": 501}[upstream.state]
    title = {"starting": "starting", "failed": "down", "none": "none"}[upstream.state]
    code = "NOT_IMPLEMENTED" if status == 501 else "TEMPORARILY_UNAVAILABLE"
    return Trouble(status, code, title, upstream.reason, upstream.hint)
