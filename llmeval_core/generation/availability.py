"""Whether a refusal ends a model, or one sample only.

A wrong key and a wrong name are seen at the first requests, and then nothing more is sent. But
servers also answer 401, 403 and 404 to a single request: a moderation, a gateway one of whose
backends is broken, a key whose rights change. What decides is whether the model answers at all.

* It has answered in this run: the sample ends; the model too if failures go on
  (`engine.giving_up`).
* It has not, and the failure is surely of the key or the name: the model ends.
* It answered in an earlier run, and the failure may be of this request alone: the sample ends.
* It never answered, and the failure may be of this request alone: the sample ends, if a request
  that is under way is answered; else, from the third such failure on, the model.
"""

from __future__ import annotations

import asyncio

from llmeval_core.errors import ModelError

MOST_DOUBTS = 3
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
        self._n_doubts = 0
        self._news: asyncio.Event | None = None

    def began(self) -> None:
        """Note that a request is sent."""
        self._n_under_way += 1

    def ended(self, *, answered: bool = False) -> None:
        """Note that it was answered, or failed, or was given up."""
        self._n_under_way -= 1
        self.answered = self.answered or answered
        if self._news is not None:
            self._news.set()
            self._news = None

    async def is_ended_by(self, error: ModelError) -> bool:
        """Decide whether an `auth` or `not_found` ends the model; may wait for other requests."""
        if self.answered:
            return False
        if not error.is_doubtful:
            return True
        if self.answered_before:
            return False
        while self._n_under_way:
            self._news = self._news or asyncio.Event()
            await self._news.wait()
            if self.answered:
                return False
        self._n_doubts += 1
        return self._n_doubts >= MOST_DOUBTS
