"""The items of a task in batches: numbered, limited, each id once, without the finished ones."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator

from llmeval_core.contracts import Item, Task
from llmeval_core.engine.duplicate_filter import DuplicateFilter
from llmeval_core.engine.reasking import ReaskFinder
from llmeval_core.errors import DatasetError, PluginError, wrap_plugin_errors
from llmeval_core.journal import Journal, JournalQueries, StoredTask
from llmeval_core.plan import PlannedTask
from llmeval_core.records import sample_problem

BATCH_SIZE = 64

NumberedItem = tuple[int, Item]
"""An item and its place in the task, from 0."""


class ItemSource:
    """Reads a task's items; all methods block and belong in a thread.

    Args:
        planned: the task as it is planned.
        task: gives the items.
        journal: knows which are finished.
        stored: the task as the journal keeps it.
        finder: chooses the items that are asked for once more, and only they are read; None for
            those that are not finished.
        left_out: places of items that are not read, as if they were finished.

    Attributes:
        newer_than: what was answered before this is asked anew, seconds since 1970; None for none.
        n_items: how many were read; `n_finished` of them an earlier run finished.
    """

    def __init__(
        self,
        planned: PlannedTask,
        task: Task,
        journal: Journal,
        stored: StoredTask,
        *,
        finder: ReaskFinder | None = None,
        left_out: Collection[int] = (),
    ) -> None:
        self._left_out = left_out
        self._finder = finder
        self.newer_than = None if finder is None else finder.since
        self._planned = planned
        self._task = task
        self._journal = journal
        self._stored = stored
        self._items: Iterator[NumberedItem] | None = None
        self._seen_ids = DuplicateFilter()
        self.n_items = 0
        self.n_finished = 0

    def read(self) -> list[NumberedItem]:
        """Read the next items that are not finished; an empty list at the end.

        Raises:
            DatasetError: the data cannot be read, an id comes twice, or there is no item.
            PluginError: the task gives something else than items.
        """
        while True:
            batch = self._read_batch()
            if not batch:
                if not self.n_items:
                    raise DatasetError(
                        f"task '{self._planned.dataset_name}' is empty",
                        where=self._planned.key,
                        hint="check its settings, its path and its split",
                    )
                return []
            self._check(batch)
            self.n_items += len(batch)
            if self._finder is not None:
                meant = self._finder.meant(self._stored.id, batch)
                if left := self._without(self._left_out, meant):
                    return left
                continue
            finished = self._journal.read(
                JournalQueries.finished_indices, self._stored.id, batch[0][0], batch[-1][0]
            )
            left = self._without(self._left_out, self._without(finished, batch))
            self.n_finished += len(batch) - len(left)
            if left:
                return left

    @staticmethod
    def _without(places: Collection[int], items: list[NumberedItem]) -> list[NumberedItem]:
        return [item for item in items if item[0] not in places] if places else items

    def close(self) -> None:
        """Free the temporary file of seen ids."""
        self._seen_ids.close()

    def _read_batch(self) -> list[NumberedItem]:
        what = f"task '{self._planned.dataset_name}' cannot give its items"
        with wrap_plugin_errors(DatasetError, what, where=self._planned.key):
            if self._items is None:
                items = iter(self._task.items())
                self._items = enumerate(itertools.islice(items, self._planned.limit))
            return list(itertools.islice(self._items, BATCH_SIZE))

    def _check(self, batch: list[NumberedItem]) -> None:
        name = self._planned.dataset_name
        for index, item in batch:
            problem = None
            if not isinstance(item, Item):
                problem = f"item {index} is a {type(item).__name__}, not an Item"
            problem = problem or sample_problem(item.sample, index)
            if problem is not None:
                raise PluginError(
                    f"{problem}, in task '{name}'",
                    where=self._planned.key,
                    hint="this is a bug in the plugin; tell its author",
                )
        ids = [item.sample.id for _, item in batch]
        repeated = self._seen_ids.add([hash(sample_id) for sample_id in ids])
        if repeated:
            raise DatasetError(
                f"sample id '{ids[repeated[0]]}' comes twice in '{name}'",
                where=self._planned.key,
                hint="give each sample an id of its own",
            )
