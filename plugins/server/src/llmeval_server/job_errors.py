"""Errors of jobs and records, beyond those of a run."""

from __future__ import annotations

from llmeval_core.hooks import LlmevalError


class JobStoreError(LlmevalError):
    """The job store cannot be reached."""


class UnknownJobError(LlmevalError):
    """There is no job with this id."""


class IdempotencyConflictError(LlmevalError):
    """An idempotency key was sent again with another run file."""


class JobNotFinishedError(LlmevalError):
    """A job is still queued or running."""


class ForbiddenError(LlmevalError):
    """A job names a file, an address or a variable that it may not use."""


class UnknownRecordError(LlmevalError):
    """There is no result, sample or component with this name."""
