"""Whether a refusal ends a model, or one sample only.

A wrong key and a wrong name are seen at the first requests, and then nothing more is sent. But
servers also answer 401, 403 and 404 to a single request: a moderation, a gateway one of whose
backends is broken, a key whose rights change. What decides is whether the model answers at all.

States of a model, and what an `auth` or `not_found` means in each:

* *available*: it has answered in this run. The sample ends; the model only if failures go on
  (`engine.failure_policy`). It stays available to the end of the run.
* *assumed available*: it answered in an earlier run. A failure that is surely of the key or the
  name ends the model; one that may be of this request alone ends the sample.
* *unproven*: it never answered. A failure that is surely of the key or the name ends the model.
  One that may be of this request alone waits for the requests that are under way: if one is
  answered, the model is available and the sample ends; else it counts as doubtful, and the third
  doubtful failure ends the model.

An answer leads from every state to *available*.
"""

from __future__ import annotations

import asyncio

from llmeval_core.errors import ModelError

MAX_DOUBTFUL_FAILURES = 3
"""Doubtful failures of a model that never answered, of which the last ends it."""


class ObservedAvailability:
    """What the requests of one model, in all its tasks, found out about it.

    Each `began` is followed by exactly one `ended`.

    Attributes:
        answered: whether it answered in this run.
        answered_before: whether the journal has answers of it that this run uses.
    """

    def __init__(self) -> None:
        self.answered = False
        self.answered_before = False
        self._n_under_way = 0
        self._n_doubtful = 0
        self._next_end: asyncio.Event | None = None

    def began(self) -> None:
        """Note that a request is sent."""
        self._n_under_way += 1

    def ended(self, *, answered: bool = False) -> None:
        """Note that it was answered, or failed, or was given up."""
        self._n_under_way -= 1
        self.answered = self.answered or answered
        if self._next_end is not None:
            self._next_end.set()
            self._next_end = None

    async def is_ended_by(self, error: ModelError) -> bool:
        """Decide whether an `auth` or `not_found` ends the model; may wait for other requests."""
        if self.answered:
            return False
        if not error.is_doubtful:
            return True
        if self.answered_before:
            return False
        while self._n_under_way:
            self._next_end = self._next_end or asyncio.Event()
            await self._next_end.wait()
            if self.answered:
                return False
        self._n_doubtful += 1
        return self._n_doubtful >= MAX_DOUBTFUL_FAILURES
