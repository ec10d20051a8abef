"""The work of a task in batches: requests made, finished samples left out, answers looked up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from llmeval_core.engine.duplicate_filter import DuplicateFilter
from llmeval_core.engine.reasking import ReaskFinder
from llmeval_core.engine.sample_source import (
    NumberedSample,
    PreparedSample,
    SampleCache,
    SampleSource,
    prepare,
)
from llmeval_core.engine.sample_warnings import SampleWarnings
from llmeval_core.journal import Journal, JournalQueries, StoredTask
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import Generation


@dataclass(frozen=True, slots=True)
class Batch:
    """Some samples that are still to be finished.

    Args:
        samples: the samples with their requests.
        answers: what the journal knows of these requests, by fingerprint.
        n_committed: how much of what this run gave the journal could be read before `answers` was.
        n_finished: samples left out because an earlier run finished them.
        is_last: whether no sample comes after these.
        replaceable: answers that are asked for once more, by fingerprint.
    """

    samples: list[PreparedSample]
    answers: dict[str, Generation]
    n_committed: int
    n_finished: int
    is_last: bool
    replaceable: dict[str, Generation] = field(default_factory=dict)


class BatchReader:
    """Reads a task's samples batch by batch; all methods but `next` block and belong in a thread.

    Args:
        task, prompter: whose samples, and what makes their requests.
        journal: what is known.
        stored: the task as the journal keeps it.
        cache: where the samples of small data sets are kept; None to read them again.
        finder: finds the answers that are asked for once more; None for none.

    Attributes:
        task: as the journal keeps it.
        n_samples: how many samples were read.
    """

    def __init__(
        self,
        task: PlannedTask,
        prompter: Prompter,
        journal: Journal,
        stored: StoredTask,
        *,
        cache: SampleCache | None = None,
        finder: ReaskFinder | None = None,
    ) -> None:
        self._finder = finder
        self._source = SampleSource(task, cache)
        self._seen_requests = DuplicateFilter()
        self._prompter = prompter
        self._journal = journal
        self._requests = task.cache_key
        self._warnings = SampleWarnings()
        self._n_distinct = 0
        self._is_whole = True
        self._prefetched: Batch | None = None
        self.task = stored
        self.n_samples = 0

    def prefetch(self) -> None:
        """Read the first batch, where a thread is at work for the task anyway.

        Raises:
            LlmevalError: as `read`.
        """
        self._prefetched = self.read()

    async def next(self) -> Batch | None:
        """Return the next batch; None at the end.

        Raises:
            LlmevalError: as `read`.
        """
        prefetched, self._prefetched = self._prefetched, None
        return prefetched or await asyncio.to_thread(self.read)

    def read(self) -> Batch | None:
        """Read the next batch; None at the end.

        Raises:
            DatasetError: see `SampleSource.read`.
            JournalError: the journal cannot be read.
        """
        samples = self._source.read()
        if not samples:
            return None
        self.n_samples += len(samples)
        if self._finder is not None:
            return self._read_for_reasking(samples, self._finder)
        first, last = samples[0][0], samples[-1][0]
        finished = self._journal.read(JournalQueries.finished_indices, self.task.id, first, last)
        left = [item for item in samples if item[0] not in finished] if finished else samples
        known, unknown = self._split(left, first, last)
        prepared = prepare(self._prompter, unknown)
        fingerprints = [item.request.fingerprint for item in prepared if item.request is not None]
        for item in prepared:
            self._warnings.add(item.sample, item.request)
        self._n_distinct += len(fingerprints) - self._n_repeated(fingerprints)
        self._is_whole = self._is_whole and len(prepared) == len(samples)
        n_committed = self._journal.n_committed
        return Batch(
            samples=known + prepared,
            answers=self._journal.read(JournalQueries.generations, fingerprints)
            if fingerprints
            else {},
            n_committed=n_committed,
            n_finished=len(finished),
            is_last=self._source.is_exhausted,
        )

    def warnings(self) -> tuple[str, ...]:
        """Say what looks wrong with the samples, a line each, if all of them were new here."""
        return self._warnings.lines(self._n_distinct) if self._is_whole else ()

    def _read_for_reasking(self, samples: list[NumberedSample], finder: ReaskFinder) -> Batch:
        """Read a batch of a task of which answers are asked for once more."""
        left = finder.remaining(self.task.id, samples)
        prepared = prepare(self._prompter, left)
        fingerprints = [item.request.fingerprint for item in prepared if item.request is not None]
        n_committed = self._journal.n_committed
        answers = self._journal.read(JournalQueries.generations, fingerprints)
        return Batch(
            samples=prepared,
            replaceable=finder.take_replaceable(prepared, answers),
            answers=answers,
            n_committed=n_committed,
            n_finished=len(samples) - len(left),
            is_last=self._source.is_exhausted,
        )

    def _n_repeated(self, fingerprints: list[str]) -> int:
        """Count the requests that came before in this task."""
        return len(self._seen_requests.add([_hash(fingerprint) for fingerprint in fingerprints]))

    def _split(
        self, samples: list[NumberedSample], first: int, last: int
    ) -> tuple[list[PreparedSample], list[NumberedSample]]:
        """Separate what an earlier task asked at the same places of the same data set.

        Its requests need not be made again. That trusts the data set's fingerprint for metadata and
        few-shot examples; where the rest of a sample changed without it, the request is made.
        """
        if not samples:
            return [], samples
        answers = self._journal.read(JournalQueries.answered_at, self._requests, first, last)
        if not answers:
            return [], samples
        known: list[PreparedSample] = []
        unknown: list[NumberedSample] = []
        for index, sample in samples:
            stored = answers.get(index)
            if stored and stored.asks_about(sample):
                known.append(PreparedSample(index, sample, None, stored.generation, stored.request))
            else:
                unknown.append((index, sample))
        return known, unknown

    def close(self) -> None:
        """Free the temporary files."""
        self._source.close()
        self._seen_requests.close()


def _hash(fingerprint: str) -> int:
    """Take 64 bits of a fingerprint, as SQLite's signed integer."""
    return int(fingerprint[:16], 16) - 2**63
