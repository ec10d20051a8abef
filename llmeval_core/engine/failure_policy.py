"""When failure after failure means that something is wrong with the run, not with a sample."""

from __future__ import annotations

from llmeval_core.errors import LlmevalError, ModelError
from llmeval_core.generation import FATAL, TRANSIENT
from llmeval_core.records import Failure

_HINTS = {
    "auth": "is api_key set, valid, and for this server?",
    "not_found": "check the model's name and base_url",
    "filtered": "a moderation refuses what is asked; ask another model, or leave these samples out",
    "connection": "is the server running, and is base_url right?",
    "timeout": "raise timeouts.request_s, or lower the concurrency",
    "rate_limit": "lower the concurrency, or try again later",
    "overloaded": "lower the concurrency, or try again later",
    "malformed": "is base_url the address of an API? most end in /v1",
    "prompt": "change the template, or give the data set the fields that it uses",
    "metric": "choose metrics that fit the data set; the answers are kept, and the same command"
    " scores them again",
    "plugin": "this is a bug in the plugin; tell its author",
}
"""What to try where a failure does not say it itself: only the kind is known."""
_OF_THE_MODEL = TRANSIENT | FATAL


class FailurePolicy:
    """Counts failures in a row.

    Failures that may be the model's (no connection, overload, a key or name that is refused all of
    a sudden) end its run after `after` in a row. Other failures end it only while nothing at all
    has succeeded: then it is the settings, not the samples. Where the user said how many may fail,
    one more ends the task. Requests that came too late for a time limit are not counted.

    Args:
        after: failures in a row that end the model's run.
        where: the task, for messages.
        max_failed: failures that a task may have; below 1 a part of its samples; None for any.
        n_samples: samples in the task; None if unknown, and a part of them then counts at the
            end only.
    """

    def __init__(
        self,
        *,
        after: int,
        where: str,
        max_failed: float | None = None,
        n_samples: int | None = None,
    ) -> None:
        self._after = after
        self._where = where
        self._max_failed = max_failed
        self._n_samples = n_samples
        self._n_consecutive = 0
        self._n_failed = 0
        self._succeeded = False

    def success(self) -> None:
        """Note a sample that succeeded."""
        self._n_consecutive = 0
        self._succeeded = True

    def failure(self, failure: Failure) -> None:
        """Note a sample that failed.

        Raises:
            LlmevalError: it was one too many.
        """
        if failure.kind == "time_limit":
            return
        self._n_failed += 1
        self._check(self._n_samples, failure)
        self._n_consecutive += 1
        if self._n_consecutive < self._after:
            return
        if failure.kind in _OF_THE_MODEL or not self._succeeded:
            raise self.error(failure, f"{self._n_consecutive} samples in a row failed")

    def ended(self, n_samples: int, last: Failure | None) -> None:
        """Note that all samples ended, and how many they were.

        Raises:
            LlmevalError: too many of them failed.
        """
        if last is not None:
            self._check(n_samples, last)

    def _check(self, n_samples: int | None, failure: Failure) -> None:
        allowed = self._max_failed
        if allowed is not None and 0 < allowed < 1:
            allowed = None if n_samples is None else allowed * n_samples
        if allowed is None or self._n_failed <= allowed:
            return
        what = "a sample" if self._n_failed == 1 else f"{self._n_failed} samples"
        raise LlmevalError(
            f"{what} failed, and {allowed:g} may: {failure.message}",
            where=self._place(failure),
            hint=_hint(failure),
        )

    def error(self, failure: Failure, what: str) -> LlmevalError:
        """Make the error that ends the run, with the last failure as its reason."""
        message, hint, where = f"{what}: {failure.message}", _hint(failure), self._place(failure)
        if failure.kind in _OF_THE_MODEL:
            return ModelError(failure.kind, message, where=where, hint=hint)
        return LlmevalError(message, where=where, hint=hint)

    def _place(self, failure: Failure) -> str:
        """Name the model, the task, and the server that was asked, if that is known."""
        return self._where if failure.where is None else f"{self._where}, {failure.where}"


def _hint(failure: Failure) -> str | None:
    """Say what to try: the cause goes before the kind."""
    return failure.hint or _HINTS.get(failure.kind)
