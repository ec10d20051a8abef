"""The reverse proxy: an ASGI application that checks requests and forwards them unbuffered."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import aiohttp

from llmeval_mlflow_proxy.body_checks import LARGEST_BODY_BYTES, ForbiddenLocationError
from llmeval_mlflow_proxy.cross_origin import foreign_origin
from llmeval_mlflow_proxy.forwarded_response import redirect_to_slash, send_response
from llmeval_mlflow_proxy.forwarder import Forwarder, ForwardTarget
from llmeval_mlflow_proxy.forwarding_policy import ForwardingPolicy
from llmeval_mlflow_proxy.http_client import reason_of
from llmeval_mlflow_proxy.json_bodies import UnreadableBodyError
from llmeval_mlflow_proxy.lifespan import Send, serve_lifespan
from llmeval_mlflow_proxy.proxied_headers import (
    LOOP_HEADER,
    ResponseHeaders,
    first,
    with_length,
)
from llmeval_mlflow_proxy.proxy_errors import ErrorResponse, send_error
from llmeval_mlflow_proxy.request_body import (
    BodyTooLargeError,
    ClientDisconnectedError,
    Receive,
    RequestBody,
    Scope,
    cancelled_on_disconnect,
)
from llmeval_mlflow_proxy.request_paths import decoded_path, outer_prefix, rest_of_path
from llmeval_mlflow_proxy.upstream import Unavailable, Upstream, UpstreamProvider

_LEAVE_OUT = (
    "leave it out, or start the name with mlflow-artifacts:/; "
    "LLMEVAL_MLFLOW_ARTIFACT_ROOTS on the server allows more"
)

_log = logging.getLogger(__name__)


class Proxy:
    """An ASGI application that shows another server's pages under a prefix.

    Args:
        provider: says which server that is.
        home: the project's folder, where a server of our own keeps its files.
        name: what people call the other server.
        policy: decides what is forwarded.
        allowed_origins: web origins besides our own that may send unsafe requests.
        diagnosis: the prefix of a page that says what is wrong; None if there is none.
    """

    def __init__(
        self,
        provider: UpstreamProvider,
        home: Path,
        *,
        name: str,
        policy: ForwardingPolicy,
        allowed_origins: Collection[str] = (),
        diagnosis: str | None = None,
    ) -> None:
        self._provider = provider
        self._home = home
        self._name = name
        self._policy = policy
        self._allowed_origins = allowed_origins
        self._diagnosis = diagnosis
        self._forwarder: Forwarder | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one lifespan or request; a WebSocket is refused."""
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
        await self._provider.start(self._home)
        forwarder = self._forwarder = Forwarder()
        try:
            yield
        finally:
            self._forwarder = None
            await self._provider.stop()
            await forwarder.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        rest = rest_of_path(scope)
        if not rest:
            await redirect_to_slash(scope, send)
            return
        upstream = self._provider.upstream()
        error = self._refusal(scope, rest) or _unavailable(upstream)
        if error is None and self._forwarder is None:
            error = ErrorResponse(
                503, "TEMPORARILY_UNAVAILABLE", "starting", "the server is starting"
            )
        if error is not None:
            await self._send_error(scope, send, error)
            return
        assert isinstance(upstream, Upstream)
        body = RequestBody(scope, receive)
        target = ForwardTarget(upstream, rest, outer_prefix(scope))
        async with cancelled_on_disconnect(body):
            checked = await self._check_body(scope, rest, body)
            if isinstance(checked, ErrorResponse):
                await self._send_error(scope, send, checked)
            elif checked is not None:
                await self._forward(checked, send, target, body)

    async def _check_body(
        self, scope: Scope, rest: str, body: RequestBody
    ) -> Scope | ErrorResponse | None:
        """Check a body that must not be forwarded unread.

        Returns:
            The scope with the length of the body that is forwarded; None if the client has
            disconnected.
        """
        path = decoded_path(rest)
        check = None if path is None else self._policy.body_check(scope["method"], path)
        if check is None or body.is_empty:
            return scope
        encoding = (first(scope["headers"], b"content-encoding") or "").strip().lower()
        try:
            raw = await body.read(LARGEST_BODY_BYTES)
            whole = check(raw, encoding)
        except ClientDisconnectedError:
            return None
        except BodyTooLargeError:
            cause = f"the body is larger than {LARGEST_BODY_BYTES:,} bytes"
            return ErrorResponse(413, "REQUEST_LIMIT_EXCEEDED", "refused", cause)
        except UnreadableBodyError as err:
            return ErrorResponse(400, "INVALID_PARAMETER_VALUE", "refused", str(err))
        except ForbiddenLocationError as err:
            return ErrorResponse(403, "PERMISSION_DENIED", "refused", str(err), _LEAVE_OUT)
        body.replace(whole)
        return {**scope, "headers": with_length(scope["headers"], len(whole))}

    def _refusal(self, scope: Scope, rest: str) -> ErrorResponse | None:
        path = decoded_path(rest)
        if path is None:
            return ErrorResponse(
                400, "BAD_REQUEST", "bad_path", "the path leaves the place it is in"
            )
        query = scope["query_string"].decode("latin-1")
        reason = self._policy.refusal_reason(scope["method"], path, query)
        if reason is not None:
            return ErrorResponse(403, "PERMISSION_DENIED", "refused", reason)
        origin = foreign_origin(scope, self._allowed_origins)
        if origin is not None:
            return ErrorResponse(
                403,
                "PERMISSION_DENIED",
                "foreign",
                f"the request comes from a page of another site: {origin}",
                "if that site is yours, name it in LLMEVAL_ALLOWED_ORIGINS",
            )
        if first(scope["headers"], LOOP_HEADER) == outer_prefix(scope):
            return ErrorResponse(
                508,
                "BAD_REQUEST",
                "loop",
                f"the URL configured for {self._name} is this very page",
                "point MLFLOW_TRACKING_URI to MLflow itself, or leave it out",
            )
        return None

    async def _send_error(self, scope: Scope, send: Send, error: ErrorResponse) -> None:
        diagnosis = None
        if self._diagnosis is not None:
            # Our prefix's last part is replaced by that of the diagnosis.
            diagnosis = outer_prefix(scope).rpartition("/")[0] + self._diagnosis
        await send_error(scope, send, error, name=self._name, diagnosis=diagnosis)

    async def _forward(
        self, scope: Scope, send: Send, target: ForwardTarget, body: RequestBody
    ) -> None:
        assert self._forwarder is not None
        upstream = target.upstream
        try:
            response = await self._forwarder.send(scope, target, body)
        except ClientDisconnectedError:
            return
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            if isinstance(err.__cause__, ClientDisconnectedError):
                return
            reason = reason_of(err)
            _log.warning("%s at %s: %s", self._name, upstream.url, reason)
            is_slow = isinstance(err, TimeoutError)
            await self._send_error(
                scope,
                send,
                ErrorResponse(
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
                await send_response(scope, send, response, ResponseHeaders(upstream, target.prefix))
            except aiohttp.ClientError as err:
                # The response has begun; left unfinished, the client sees that it is incomplete.
                _log.warning("%s broke off in the middle: %s", self._name, reason_of(err))


def _unavailable(upstream: Upstream | Unavailable) -> ErrorResponse | None:
    if isinstance(upstream, Upstream):
        return None
    status = {"starting": 503, "failed": 502, "none": 501}[upstream.state]
    title = {"starting": "starting", "failed": "down", "none": "none"}[upstream.state]
    code = "NOT_IMPLEMENTED" if status == 501 else "TEMPORARILY_UNAVAILABLE"
    return ErrorResponse(status, code, title, upstream.reason, upstream.hint)
