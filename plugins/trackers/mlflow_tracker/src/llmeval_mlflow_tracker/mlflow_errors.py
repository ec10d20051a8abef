"""Errors of MLflow's, with what the tracker can do about them."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from llmeval_core.hooks import TrackerError

MlflowErrorKind = Literal["transient", "gone", "conflict", "invalid", "other"]
"""`transient`: the same call may succeed in a moment; `gone`: the run or the experiment is
deleted; `conflict`: a write-once param has another value; `invalid`: MLflow will never take
this value."""


class MlflowError(TrackerError):
    """A call that MLflow refused, or that did not reach it.

    Args:
        kind: what the tracker can do about it.
        retry_after_s: how long MLflow asks to wait, seconds; None if it does not say.
    """

    def __init__(
        self,
        kind: MlflowErrorKind,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(
            what, where=where, hint=hint, permanent=kind == "invalid", retry_after_s=retry_after_s
        )
        self.kind: MlflowErrorKind = kind


def public_uri(uri: str) -> str:
    """Return a tracking URI without user name and password."""
    if "@" not in uri:
        return uri
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
