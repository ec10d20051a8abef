"""Where a task's samples or items come from, and whether there is anything to do; all blocking."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from llmeval_core.contracts import Task
from llmeval_core.engine.batches import BatchReader
from llmeval_core.engine.item_source import ItemSource
from llmeval_core.engine.known_results import known_result
from llmeval_core.engine.prompted_task import PromptedTask
from llmeval_core.engine.reasking import ReaskFinder
from llmeval_core.engine.run_context import RunContext
from llmeval_core.journal import StoredTask
from llmeval_core.plan import PlannedModel, PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import TaskResult
from llmeval_core.scoring import Scorer

Source = BatchReader | ItemSource
"""Samples of one request each, or items that ask as they like."""


@dataclass(frozen=True, slots=True)
class BegunTask:
    """A task that is entered in the journal.

    Args:
        stored: the task as the journal keeps it.
        source: gives its samples, or its items.
        finder: finds the answers that are asked for once more; None for none.
        known: the result of an earlier run, which stays if nothing new comes; None for none.
    """

    stored: StoredTask
    source: Source
    finder: ReaskFinder | None
    known: TaskResult | None


class TaskSources:
    """Begins one task of one model, and opens its sources; all methods belong in a thread.

    Args:
        context: what the tasks of a run have in common.
        model, task: which.
        scorer: scores the task's answers.
    """

    def __init__(
        self, context: RunContext, model: PlannedModel, task: PlannedTask, scorer: Scorer
    ) -> None:
        self._context = context
        self._model = model
        self._task = task
        self._scorer = scorer
        self._renderer = context.renderers.of(task)

    def begin(self, *, left_out: Collection[int] = ()) -> BegunTask | TaskResult:
        """Enter the task in the journal; or return its result, if nothing is to be done.

        Args:
            left_out: see `open`.

        Raises:
            LlmevalError: the data set or the journal cannot be read.
        """
        journal, task, reask = self._context.journal, self._task, self._context.reask
        known = known_result(journal, self._model.name, task, replace=self._context.plan.replace)
        if known is not None and reask is None:
            return known
        if task.task is None:
            self._renderer.load_pool()
        stored = journal.begin_task(
            task.fingerprint,
            model=self._model.name,
            key=task.key,
            metrics=[planned.name for planned in task.metrics],
            cache_key=task.cache_key,
        )
        finder = None if reask is None else ReaskFinder(reask, task, journal)
        source = self.open(stored, finder, left_out=left_out)
        if isinstance(source, BatchReader):
            try:
                source.prefetch()
            except BaseException:
                source.close()
                raise
        return BegunTask(stored, source, finder, known)

    def open(
        self,
        stored: StoredTask,
        finder: ReaskFinder | None = None,
        *,
        left_out: Collection[int] = (),
    ) -> Source:
        """Open the samples, or the items, from the first one.

        Args:
            stored: the task as the journal keeps it.
            finder: finds what is asked for once more; None for nothing.
            left_out: places of items that failed already in this run and stay so.
        """
        task, journal = self._task, self._context.journal
        if not task.is_plain:
            return ItemSource(
                task, self.ready_task(), journal, stored, finder=finder, left_out=left_out
            )
        prompter = Prompter(self._model, task, self._renderer)
        cache = self._context.samples
        return BatchReader(task, prompter, journal, stored, cache=cache, finder=finder)

    def ready_task(self) -> Task:
        """Return what asks and scores, if samples are not one request each."""
        return self._task.task or PromptedTask(self._task, self._renderer, self._scorer)
