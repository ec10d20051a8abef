"""What travels between the run and its workers: numbered requests, and answers or refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from llmeval_core.hooks import FailureKind, Generation, LlmevalError, ModelError, Request


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as it travels; exceptions themselves may not survive pickling.

    Args:
        kind: the kind of a ModelError; None for any other error.
        what, where, hint, retry_after_s: see `ModelError`.
    """

    kind: FailureKind | None
    what: str
    where: str | None = None
    hint: str | None = None
    retry_after_s: float | None = None

    @classmethod
    def of(cls, error: Exception) -> Refusal:
        """Describe an error."""
        if isinstance(error, ModelError):
            return cls(error.kind, error.what, error.where, error.hint, error.retry_after_s)
        if isinstance(error, LlmevalError):
            return cls(None, error.what, error.where, error.hint)
        return cls(
            None,
            f"the model failed in a Ray worker: {type(error).__name__}: {error}".rstrip(": "),
            hint="this is a bug in the model's plugin; tell its author",
        )

    def error(self) -> LlmevalError:
        """Make the error again."""
        if self.kind is None:
            return LlmevalError(self.what, where=self.where, hint=self.hint)
        return ModelError(
            self.kind,
            self.what,
            where=self.where,
            hint=self.hint,
            retry_after_s=self.retry_after_s,
        )


Outcome: TypeAlias = Generation | Refusal
Question: TypeAlias = tuple[int, Request]
"""A request under the number that its outcome comes back with."""
Answer: TypeAlias = tuple[int, Outcome]
