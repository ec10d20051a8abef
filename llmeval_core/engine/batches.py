"""The work of a task in chunks: requests made, finished samples left out, answers looked up."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmeval_core.engine.reasking import ReaskFinder
from llmeval_core.engine.sample_source import DuplicateFilter, PreparedSample, SampleSource, prepare
from llmeval_core.engine.task_warnings import TaskWarnings
from llmeval_core.journal import Journal, JournalQueries, StoredTask
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import Generation, Sample


@dataclass(frozen=True, slots=True)
class Batch:
    """Some samples that are still to be finished.

    Args:
        ready: the samples with their requests.
        answers: what the journal knows of these requests, by fingerprint.
        again: requests that came before in this task; they may have been answered since the
            journal was asked.
        n_done: samples left out because an earlier run finished them.
        old: answers that are asked for once more, by fingerprint.
    """

    ready: list[PreparedSample]
    answers: dict[str, Generation]
    again: frozenset[str]
    n_done: int
    old: dict[str, Generation] = field(default_factory=dict)


class BatchReader:
    """Reads a task's samples chunk by chunk; all methods block and belong in a thread.

    Args:
        task, prompter: whose samples, and how they are asked.
        journal: what is known.
        stored: the task as the journal keeps it.
        again: finds the answers that are asked for once more; None for none.

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
        again: ReaskFinder | None = None,
    ) -> None:
        self._again = again
        self._source = SampleSource(task)
        self._asked = DuplicateFilter()
        self._prompter = prompter
        self._journal = journal
        self._requests = task.cache_key
        self._doubts = TaskWarnings()
        self._n_distinct = 0
        self._is_whole = True
        self.task = stored
        self.n_samples = 0

    def read(self) -> Batch | None:
        """Read the next chunk; None at the end.

        Raises:
            DatasetError: see `SampleSource.read`.
            JournalError: the journal cannot be read.
        """
        samples = self._source.read()
        if not samples:
            return None
        self.n_samples += len(samples)
        first, last = samples[0][0], samples[-1][0]
        if self._again is not None:
            return self._read_again(samples, self._again)
        done = self._journal.read(JournalQueries.finished_indices, self.task.id, first, last)
        left = [item for item in samples if item[0] not in done] if done else samples
        known, unknown = self._split(left, first, last)
        ready = prepare(self._prompter, unknown)
        wanted = [item.request.fingerprint for item in ready if item.request is not None]
        again = self._asked.add([_hash(fingerprint) for fingerprint in wanted]) if wanted else []
        for item in ready:
            self._doubts.add(item.sample, item.request)
        self._n_distinct += len(wanted) - len(again)
        self._is_whole = self._is_whole and len(ready) == len(samples)
        return Batch(
            known + ready,
            self._journal.read(JournalQueries.generations, wanted) if wanted else {},
            frozenset(wanted[position] for position in again),
            len(done),
        )

    def doubts(self) -> tuple[str, ...]:
        """Say what looks wrong with the samples, a line each, if all of them were new here."""
        return self._doubts.lines(self._n_distinct) if self._is_whole else ()

    def _read_again(self, samples: list[tuple[int, Sample]], finder: ReaskFinder) -> Batch:
        """Read a chunk of a task of which answers are asked for once more."""
        left = finder.left(self.task.id, samples)
        ready = prepare(self._prompter, left)
        wanted = [item.request.fingerprint for item in ready if item.request is not None]
        again = self._asked.add([_hash(fingerprint) for fingerprint in wanted])
        answers = self._journal.read(JournalQueries.generations, wanted)
        old = finder.take_old(ready, answers)
        came_before = frozenset(wanted[position] for position in again)
        return Batch(ready, answers, came_before, len(samples) - len(left), old)

    def _split(
        self, samples: list[tuple[int, Sample]], first: int, last: int
    ) -> tuple[list[PreparedSample], list[tuple[int, Sample]]]:
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
        unknown: list[tuple[int, Sample]] = []
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
        self._asked.close()


def _hash(fingerprint: str) -> int:
    """Take 64 bits of a fingerprint, as SQLite's signed integer."""
    return int(fingerprint[:16], 16) - 2**63
