"""Looks answers up in the journal, for all who ask in one turn of the event loop together."""

from __future__ import annotations

import asyncio

from llmeval_core.errors import LlmevalError
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.records import Generation


class AnswerLookups:
    """Looks up answers by the fingerprints of their requests; belongs to one event loop.

    Args:
        journal: what has them.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._wanted: dict[str, asyncio.Future[Generation | None]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def find(self, fingerprint: str) -> Generation | None:
        """Return the answer to a request; None if the journal has none.

        Raises:
            JournalError: it cannot be read.
        """
        future = self._wanted.get(fingerprint)
        if future is None:
            future = self._wanted[fingerprint] = asyncio.get_running_loop().create_future()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(future)

    async def answered_at(self, fingerprint: str) -> float | None:
        """Say when a request was answered, seconds since 1970; None if it was not.

        Raises:
            JournalError: as `find`.
        """
        found: dict[str, float] = await asyncio.to_thread(
            self._journal.read, lambda reader: reader.rounds.answered_at([fingerprint])
        )
        return found.get(fingerprint)

    async def _look(self) -> None:
        """Look up what is wanted, until nothing is; who waits is told also if that fails."""
        wanted: dict[str, asyncio.Future[Generation | None]] = {}
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, {}
                found = await asyncio.to_thread(
                    self._journal.read, JournalQueries.generations, list(wanted)
                )
                for key, future in wanted.items():
                    future.set_result(found.get(key))
        except BaseException as err:
            for future in (*wanted.values(), *self._wanted.values()):
                if not future.done():
                    future.set_exception(err)
                    future.exception()
            self._wanted = {}
            if not isinstance(err, LlmevalError):
                raise
        finally:
            self._looking = None
