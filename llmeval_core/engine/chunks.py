"""The work of a task in chunks: requests made, finished samples left out, answers looked up."""

from __future__ import annotations

from dataclasses import dataclass

from llmeval_core.engine.source import Prepared, SampleSource, SeenHashes, prepare
from llmeval_core.journal import Journal, Reader, StoredTask
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import Generation


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some samples that are still to be finished.

    Args:
        ready: the samples with their requests.
        answers: what the journal knows of these requests, by fingerprint.
        again: requests that came before in this task; they may have been answered since the
            journal was asked.
        n_done: samples left out because an earlier run finished them.
    """

    ready: list[Prepared]
    answers: dict[str, Generation]
    again: frozenset[str]
    n_done: int


class ChunkReader:
    """Reads a task's samples chunk by chunk; all methods block and belong in a thread.

    Attributes:
        task_id: where the journal keeps the task.
    """

    def __init__(
        self, task: PlannedTask, prompter: Prompter, journal: Journal, stored: StoredTask
    ) -> None:
        self._source = SampleSource(task)
        self._asked = SeenHashes()
        self._prompter = prompter
        self._journal = journal
        self.task_id = stored.id

    def read(self) -> Chunk | None:
        """Read the next chunk; None at the end.

        Raises:
            DatasetError: see `SampleSource.read`.
            JournalError: the journal cannot be read.
        """
        samples = self._source.read()
        if not samples:
            return None
        done = self._journal.read(Reader.done, self.task_id, samples[0][0], samples[-1][0])
        ready = prepare(self._prompter, [item for item in samples if item[0] not in done])
        wanted = [item.request.fingerprint for item in ready if item.request is not None]
        again = self._asked.add([_hash(fingerprint) for fingerprint in wanted])
        return Chunk(
            ready,
            self._journal.read(Reader.generations, wanted),
            frozenset(wanted[position] for position in again),
            len(done),
        )

    def close(self) -> None:
        """Free the temporary files."""
        self._source.close()
        self._asked.close()


def _hash(fingerprint: str) -> int:
    """Take 64 bits of a fingerprint, as SQLite's signed integer."""
    return int(fingerprint[:16], 16) - 2**63
