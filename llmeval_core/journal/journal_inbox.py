"""What is put into a journal: answers, samples, results; written by a thread of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from llmeval_core.journal.file_presence import FilePresence
from llmeval_core.journal.journal_writer import JournalWriter
from llmeval_core.journal.stored_tasks import StoredTask
from llmeval_core.records import Generation, Request, SampleResult, TaskResult

_MOST_WAITING = 2000


class JournalInbox:
    """Takes what is to be kept; its thread begins with the first of it.

    Args:
        file: the journal.
        shown_path: what errors call it.
        presence: looks whether it is still there.
    """

    def __init__(self, file: Path, *, shown_path: Path, presence: FilePresence) -> None:
        self._file = file
        self._shown = shown_path
        self._presence = presence
        self._writer: JournalWriter | None = None

    def close_writer(self) -> None:
        """Write what is left, and end the thread."""
        if self._writer is not None:
            self._writer.close()

    async def record(self, task: StoredTask, result: SampleResult) -> None:
        """Keep a finished sample; waits only when the disk falls far behind.

        Raises:
            JournalError: the disk is full, or cannot be written for another reason.
        """
        self.put(task, result)
        await self.keep_up()

    def put(
        self,
        task: StoredTask,
        result: SampleResult,
        request: bytes | None = None,
        *,
        is_again: bool = False,
    ) -> None:
        """Keep a finished sample and return at once; await `keep_up` after some hundred.

        Args:
            task: the task that it belongs to.
            result: how it ended; it has a score of each metric of the task unless it failed.
            request: fingerprint of the request, if `result` has only the answer.
            is_again: whether its answer takes the place of an older one.

        Raises:
            JournalError: as `record`.
        """
        self._started_writer().put(task, result, request, is_again=is_again)

    def put_item(self, task: StoredTask, result: SampleResult) -> None:
        """Keep a finished sample whose answers were put before, with its turns; returns at once.

        Turns of an earlier attempt go. `put` is for samples of one request, whose answer comes with
        them.

        Raises:
            JournalError: as `record`.
        """
        self._started_writer().put(task, result, has_turns=True)

    def put_answer(
        self,
        request: Request,
        generation: Generation,
        *,
        parent: Request | None = None,
        is_again: bool = False,
    ) -> None:
        """Keep an answer before its sample ends, and return at once.

        Args:
            request, generation: what was asked, and answered.
            parent: a request that was put before, and with whose messages this one begins; so many
                messages are not kept again. None for none.
            is_again: whether it takes the place of an older answer, and of what was made of it.

        Raises:
            JournalError: as `record`.
        """
        self._started_writer().put_answer(request, generation, parent, is_again=is_again)

    @property
    def n_given(self) -> int:
        """How much was put so far."""
        return 0 if self._writer is None else self._writer.n_given

    @property
    def n_committed(self) -> int:
        """How much of what was put, from the first on, can be read."""
        return 0 if self._writer is None else self._writer.n_committed

    async def keep_up(self) -> None:
        """Wait if the disk has fallen far behind.

        Raises:
            JournalError: as `record`.
        """
        if self._writer is not None and self._writer.n_waiting > _MOST_WAITING:
            await self.flush()

    async def publish(self) -> None:
        """Return when every recorded sample can be read; `flush` says when it is on disk.

        Raises:
            JournalError: it could not be written.
        """
        if self._writer is not None:
            await asyncio.wrap_future(self._writer.publish())

    def wait_until_published(self) -> None:
        """Do what `publish` does; blocking.

        Raises:
            JournalError: it could not be written.
        """
        if self._writer is not None:
            self._writer.publish().result()

    async def flush(self) -> None:
        """Return when every recorded sample is on disk.

        Raises:
            JournalError: it could not be written.
        """
        if self._writer is not None:
            await asyncio.wrap_future(self._writer.flush())

    def _started_writer(self) -> JournalWriter:
        if self._writer is None:
            self._presence.check()
            self._writer = JournalWriter(
                self._file, shown_path=self._shown, presence=self._presence
            )
        return self._writer

    async def save(self, result: TaskResult, trackers: tuple[str, ...]) -> None:
        """Keep a task's result, and who has yet to get it; returns when that is on disk.

        Args:
            result: the result; one that is there already is left as it is.
            trackers: names of trackers; those that have it already are left as they are.

        Raises:
            JournalError: it could not be written.
        """
        await asyncio.wrap_future(self._started_writer().save(result, trackers))
