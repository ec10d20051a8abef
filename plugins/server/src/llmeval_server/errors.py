"""What can go wrong with jobs, beyond what a run can."""

from __future__ import annotations

from llmeval_core.hooks import LlmevalError


class JobStoreError(LlmevalError):
    """The place where jobs are kept cannot be reached."""


class UnknownJobError(LlmevalError):
    """There is no job with this id."""


class KeyInUseError(LlmevalError):
    """An idempotency key came again with another run file."""


class NotOverError(LlmevalError):
    """A job is still queued or running."""


class ForbiddenError(LlmevalError):
    """A job asks for a file, an address or a variable that it may not use."""


class UnknownRecordError(LlmevalError):
    """There is no result, sample or component by this name."""
