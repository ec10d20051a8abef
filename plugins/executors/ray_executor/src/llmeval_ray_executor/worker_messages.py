"""The messages between a run and its workers: numbered requests, and answers or errors."""

from __future__ import annotations

import dataclasses
import io
import operator
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from llmeval_core.hooks import (
    FailureKind,
    Generation,
    GenerationSettings,
    LlmevalError,
    Loglikelihood,
    Message,
    ModelError,
    Request,
)

GATHER_S = 0.02
"""Longest time that an answer waits in a worker for others, seconds: a message costs as much as
dozens of answers in it. It is sent earlier when half of the worker's requests are answered."""
GATHER_BUSY_S = 0.1
"""The same while other requests wait in the worker for its concurrency: this delays none."""


@dataclass(frozen=True, slots=True)
class RemoteError:
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
    def of(cls, error: Exception) -> RemoteError:
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
        """Return the error to raise in the run."""
        if self.kind is None:
            return LlmevalError(self.what, where=self.where, hint=self.hint)
        return ModelError(
            self.kind,
            self.what,
            where=self.where,
            hint=self.hint,
            retry_after_s=self.retry_after_s,
        )


AnswerOrError: TypeAlias = Generation | RemoteError
NumberedRequest: TypeAlias = tuple[int, Request]
"""A request with the number that its answer comes back with."""
NumberedAnswer: TypeAlias = tuple[int, AnswerOrError]


def encode(items: Sequence[NumberedRequest] | Sequence[NumberedAnswer]) -> bytes:
    """Write a message; several times as fast as Ray does, which takes records field by field."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(items)
    return buffer.getvalue()


def decode_requests(message: bytes) -> list[NumberedRequest]:
    """Read a message from the run."""
    requests: list[NumberedRequest] = pickle.loads(message)  # noqa: S301  from `encode`, by Ray
    return requests


def decode_answers(message: bytes) -> list[NumberedAnswer]:
    """Read a message from a worker."""
    answers: list[NumberedAnswer] = pickle.loads(message)  # noqa: S301  from `encode`, by Ray
    return answers


def _reducer(record: type) -> Callable[[Any], tuple[type, tuple[Any, ...]]]:
    """Return a function that takes a record apart in one call; Any: pickle's own protocol."""
    values = operator.attrgetter(*(field.name for field in dataclasses.fields(record)))
    return lambda instance: (record, values(instance))


_REDUCERS: Mapping[type, Callable[[Any], tuple[type, tuple[Any, ...]]]] = MappingProxyType(
    {
        record: _reducer(record)
        for record in (Request, Message, GenerationSettings, Generation, Loglikelihood, RemoteError)
    }
)
