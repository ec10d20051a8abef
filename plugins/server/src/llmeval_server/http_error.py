"""A refusal with an HTTP status of its own."""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_core.hooks import LlmevalError


class HttpError(LlmevalError):
    """A request that the server refuses.

    Args:
        status: the HTTP status of the response, such as 400, 401, 403, 413, 429, 503 or 504.
        what: what happened, one line.
        where: at which place of the request.
        hint: what to try.
        headers: additional headers of the response, such as `Retry-After`.
    """

    def __init__(
        self,
        status: int,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status
        self.headers = dict(headers or {})
