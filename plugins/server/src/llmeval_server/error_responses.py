"""Errors as HTTP responses: JSON for programs, a page for people, never a traceback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmeval_core.api import JournalError, shown
from llmeval_core.hooks import LlmevalError
from llmeval_server.http_error import HttpError
from llmeval_server.job_errors import (
    ForbiddenError,
    IdempotencyConflictError,
    JobNotFinishedError,
    JobStoreError,
    UnknownJobError,
    UnknownRecordError,
)
from llmeval_server.jobs.job_records import JobError
from llmeval_server.route_classifier import RouteClassifier
from llmeval_server.security.security_headers import SECURITY_HEADERS

_log = logging.getLogger("llmeval")

_SHUTTING_DOWN = HttpError(
    503, "the server is ending", hint="try again when it is back", headers={"Retry-After": "10"}
)

RenderErrorPage = Callable[[Request, int, LlmevalError], Response]

_STATUS: dict[type[LlmevalError], int] = {
    UnknownJobError: 404,
    UnknownRecordError: 404,
    IdempotencyConflictError: 409,
    JobNotFinishedError: 409,
    ForbiddenError: 403,
    JobStoreError: 503,
    JournalError: 503,
}
_UNPROCESSABLE = 422
"""The status of every other error that the user can act on: the request is wrong."""


class ErrorReply(BaseModel):
    """The body of every error response."""

    error: JobError


def status_of(err: LlmevalError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(err, HttpError):
        return err.status
    return next((s for kind, s in _STATUS.items() if isinstance(err, kind)), _UNPROCESSABLE)


class ErrorResponder:
    """Turns errors into HTTP responses.

    Args:
        classifier: decides whether a request is for the API.
        redact: removes secrets from text.
        render_page: renders an error as an HTML page.
    """

    def __init__(
        self,
        *,
        classifier: RouteClassifier,
        redact: Callable[[str], str],
        render_page: RenderErrorPage,
    ) -> None:
        self._classifier = classifier
        self._redact = redact
        self._render_page = render_page

    def error_response(
        self, request: Request, err: LlmevalError, status: int | None = None
    ) -> Response:
        """Return the response to an error that the client can act on.

        Args:
            request: the request.
            err: the error.
            status: the HTTP status; that of the error if None.
        """
        status = status or status_of(err)
        if status >= 500:
            _log.error("%s %s: %s", request.method, request.url.path, err.what)
        error = LlmevalError(
            self._public(err.what),
            where=self._public(err.where) if err.where else None,
            hint=self._public(err.hint) if err.hint else None,
        )
        response = self._response(request, status, error)
        if isinstance(err, HttpError):
            response.headers.update(err.headers)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def bug_response(self, request: Request) -> Response:
        """Return the response to a bug of ours; the details are only in the log."""
        error = LlmevalError(
            "something went wrong here", hint="the server's log says what; please report it"
        )
        return self.error_response(request, error, 500)

    def _response(self, request: Request, status: int, error: LlmevalError) -> Response:
        """Make JSON, or a page if the client accepts HTML and the path is not the API's."""
        wants_page = "text/html" in request.headers.get("accept", "")
        if wants_page and not self._classifier.is_api(request.scope):
            return self._render_page(request, status, error)
        body = ErrorReply(error=JobError(what=error.what, where=error.where, hint=error.hint))
        return JSONResponse(body.model_dump(), status)

    def _public(self, text: str) -> str:
        return shown(self._redact(text))


class ErrorMiddleware:
    """Answers every error that the application raises.

    Args:
        app: the application.
        error_responder: makes the responses.
    """

    def __init__(self, app: ASGIApp, *, error_responder: ErrorResponder) -> None:
        self._app = app
        self._error_responder = error_responder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        respond = self._error_responder
        try:
            await self._app(scope, receive, send_noting_start)
        except asyncio.CancelledError:  # the server shuts down and does not wait any longer
            if not has_started:
                response = respond.error_response(Request(scope), _SHUTTING_DOWN)
                await response(scope, receive, send)
        except LlmevalError as err:
            if has_started:
                raise
            await respond.error_response(Request(scope), err)(scope, receive, send)
        except Exception:  # noqa: BLE001  the last border: a bug must not show its traceback
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if not has_started:
                await respond.bug_response(Request(scope))(scope, receive, send)
