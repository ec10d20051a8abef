"""What waits to be written: answers, and samples that are finished."""

from __future__ import annotations

from typing import NamedTuple

from llmeval_core.journal.stored_tasks import StoredTask
from llmeval_core.records import Generation, Request, SampleResult


class QueuedSample(NamedTuple):
    """A finished sample that is to be written.

    Args:
        task: the task that it belongs to.
        result: how it ended.
        request: fingerprint of the request, 16 bytes; None if there was none.
        finished_at: when, seconds since 1970.
        is_again: whether its answer takes the place of an older one.
        has_turns: whether its answers were written before it, and its turns are to be noted.
    """

    task: StoredTask
    result: SampleResult
    request: bytes | None
    finished_at: float
    is_again: bool
    has_turns: bool = False


class QueuedAnswer(NamedTuple):
    """An answer that is to be written before its sample ends.

    Args:
        request, generation: what was asked, and answered.
        finished_at: when, seconds since 1970.
        parent: an earlier request, with whose messages this one begins; None for none.
        is_again: whether it takes the place of an older answer.
    """

    request: Request
    generation: Generation
    finished_at: float
    parent: Request | None = None
    is_again: bool = False


Queued = QueuedSample | QueuedAnswer
