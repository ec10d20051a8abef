"""What travels between the run and its workers: numbered requests, and answers or refusals."""

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
"""Longest time that an answer waits for company, seconds: a message costs as much as dozens of
answers in it. It is sent before that when a worker has answered half of what it has."""
GATHER_BUSY_S = 0.1
"""The same while other requests wait for room in the worker, so that this delays none."""


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


def packed(items: Sequence[Question] | Sequence[Answer]) -> bytes:
    """Write a message; several times as fast as Ray does, which takes records field by field."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(items)
    return buffer.getvalue()


def unpacked_questions(message: bytes) -> list[Question]:
    """Read a message from the run."""
    questions: list[Question] = pickle.loads(message)  # noqa: S301  from `packed`, by Ray
    return questions


def unpacked_answers(message: bytes) -> list[Answer]:
    """Read a message from a worker."""
    answers: list[Answer] = pickle.loads(message)  # noqa: S301  from `packed`, by Ray
    return answers


def _reducer(record: type) -> Callable[[Any], tuple[type, tuple[Any, ...]]]:
    """Make what takes a record apart in one call; Any: pickle's own protocol."""
    values = operator.attrgetter(*(field.name for field in dataclasses.fields(record)))
    return lambda instance: (record, values(instance))


_REDUCERS: Mapping[type, Callable[[Any], tuple[type, tuple[Any, ...]]]] = MappingProxyType(
    {
        record: _reducer(record)
        for record in (Request, Message, GenerationSettings, Generation, Loglikelihood, Refusal)
    }
)
