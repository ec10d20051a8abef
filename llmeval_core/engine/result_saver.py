"""Results on their way to the journal: saved in the background, announced, and put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llmeval_core.concurrency import cancel_and_wait
from llmeval_core.engine.group_results import GroupResults
from llmeval_core.errors import LlmevalError, PluginError
from llmeval_core.journal import Journal
from llmeval_core.plan import Plan
from llmeval_core.records import TaskResult


class ResultSaver:
    """Saves the results of tasks, and of the groups that they complete.

    Args:
        plan: names the trackers and the groups.
        journal: where results are kept.
        errors: where it adds what the user must change.
        announce: is called after each result that is on disk.
    """

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        errors: list[LlmevalError],
        *,
        announce: Callable[[TaskResult], None],
    ) -> None:
        self._journal = journal
        self._errors = errors
        self._announce = announce
        self._trackers = tuple(tracker.name for tracker in plan.trackers)
        self._groups = GroupResults(plan, journal)
        self._saving: set[asyncio.Task[None]] = set()
        self._saved: dict[tuple[str, str], TaskResult] = {}

    def get(self, model: str, task: str) -> TaskResult | None:
        """Return the result of a task or a group, once it is saved."""
        return self._saved.get((model, task))

    def save(self, result: TaskResult, *, is_new: bool) -> None:
        """Save a result in the background: the next task need not wait for the disk.

        `is_new` is False if the journal has the result already; then only trackers may lack it.
        """
        saving = asyncio.create_task(self._save(result, is_new=is_new))
        self._saving.add(saving)
        saving.add_done_callback(self._note_saved)

    async def finish(self) -> None:
        """Return when everything is saved.

        Raises:
            JournalError: something could not be.
        """
        try:
            await asyncio.gather(*self._saving)
        finally:
            await cancel_and_wait(self._saving)

    async def _save(self, result: TaskResult, *, is_new: bool) -> None:
        if is_new or self._trackers:
            await self._journal.save(result, self._trackers)
        self._saved[result.model, result.task] = result
        self._announce(result)
        for complete in self._groups.note(result):
            try:
                group, is_new_group = await asyncio.to_thread(complete)
            except PluginError as err:
                self._errors.append(err)
            else:
                await self._save(group, is_new=is_new_group)

    def _note_saved(self, saving: asyncio.Task[None]) -> None:
        """Forget a save that succeeded; the error of another one is raised at the end."""
        if not saving.cancelled() and saving.exception() is None:
            self._saving.discard(saving)
