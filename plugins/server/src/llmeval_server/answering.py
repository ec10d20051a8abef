"""Errors as answers: JSON for programs, a page for people, never a traceback."""

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
from llmeval_server.errors import (
    ForbiddenError,
    JobStoreError,
    KeyInUseError,
    NotOverError,
    UnknownJobError,
    UnknownRecordError,
)
from llmeval_server.jobs.records import JobError
from llmeval_server.security.headers import SECURITY_HEADERS
from llmeval_server.security.places import Places
from llmeval_server.security.refusing import RefusedError

_log = logging.getLogger("llmeval")

_ENDING = RefusedError(
    503, "the server is ending", hint="try again when it is back", headers={"Retry-After": "10"}
)

ErrorPage = Callable[[Request, int, LlmevalError], Response]

_STATUS: dict[type[LlmevalError], int] = {
    UnknownJobError: 404,
    UnknownRecordError: 404,
    KeyInUseError: 409,
    NotOverError: 409,
    ForbiddenError: 403,
    JobStoreError: 503,
    JournalError: 503,
}
_UNPROCESSABLE = 422
"""The status of every other error that the user can act on: what was sent is wrong."""


class ErrorBody(BaseModel):
    """What every error looks like."""

    error: JobError


def status_of(err: LlmevalError) -> int:
    """Return the HTTP status that tells what kind of error it is."""
    if isinstance(err, RefusedError):
        return err.status
    return next((s for kind, s in _STATUS.items() if isinstance(err, kind)), _UNPROCESSABLE)


class Answering:
    """Turns errors into answers.

    Args:
        places: tell whether a program is spoken to.
        redact: takes secrets out of text.
        page: makes the page for people.
    """

    def __init__(self, *, places: Places, redact: Callable[[str], str], page: ErrorPage) -> None:
        self._places = places
        self._redact = redact
        self._page = page

    def of_error(self, request: Request, err: LlmevalError, status: int | None = None) -> Response:
        """Answer an error that the client can act on, with its own status if none is given."""
        status = status or status_of(err)
        if status >= 500:
            _log.error("%s %s: %s", request.method, request.url.path, err.what)
        error = LlmevalError(
            self._public(err.what),
            where=self._public(err.where) if err.where else None,
            hint=self._public(err.hint) if err.hint else None,
        )
        response = self._response(request, status, error)
        if isinstance(err, RefusedError):
            response.headers.update(err.headers)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def of_bug(self, request: Request) -> Response:
        """Answer an error of ours; the log has the rest."""
        error = LlmevalError(
            "something went wrong here", hint="the server's log says what; please report it"
        )
        return self.of_error(request, error, 500)

    def _response(self, request: Request, status: int, error: LlmevalError) -> Response:
        """Make JSON, or a page if the client wants HTML and speaks to no API."""
        wants_page = "text/html" in request.headers.get("accept", "")
        if wants_page and not self._places.is_api(request.scope):
            return self._page(request, status, error)
        body = ErrorBody(error=JobError(what=error.what, where=error.where, hint=error.hint))
        return JSONResponse(body.model_dump(), status)

    def _public(self, text: str) -> str:
        return shown(self._redact(text))


class ErrorAnswers:
    """Answers every error that comes out of the application behind it.

    Args:
        app: what is behind.
        answering: makes the answers.
    """

    def __init__(self, app: ASGIApp, *, answering: Answering) -> None:
        self._app = app
        self._answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:  # the server ends, and has no more time for this request
            if not begun:
                await self._answering.of_error(Request(scope), _ENDING)(scope, receive, send)
        except LlmevalError as err:
            if begun:
                raise
            await self._answering.of_error(Request(scope), err)(scope, receive, send)
        except Exception:  # noqa: BLE001  the last border: a bug must not show its traceback
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if not begun:
                await self._answering.of_bug(Request(scope))(scope, receive, send)
