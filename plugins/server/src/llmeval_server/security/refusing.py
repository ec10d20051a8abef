"""Saying no, with the status that tells the client why."""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_core.hooks import LlmevalError


class RefusedError(LlmevalError):
    """A request that is not let through.

    Args:
        status: of the answer: 400, 401, 403, 413, 429, 503 or 504.
        what: what happened, one line.
        where: at which place of what was sent.
        hint: what to try.
        headers: more headers of the answer, such as `Retry-After`.
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
