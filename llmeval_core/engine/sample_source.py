"""The samples of a task as a stream of chunks: numbered, limited, each id once."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from llmeval_core.errors import DatasetError, wrap_plugin_errors
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import Prompter, PromptError
from llmeval_core.records import Failure, Generation, Request, Sample, sample_problem

CHUNK_SIZE = 256


@dataclass(slots=True)  # not frozen: that would take three times as long to make
class PreparedSample:
    """A sample with its place and its request, or with why there is no request.

    Args:
        index: place in the data set, from 0.
        sample: the sample.
        request: what to ask; None if it cannot be made, or was answered before.
        answer: what an earlier task was answered, or why there is no request; None if the
            request is still to be looked up or asked.
        key: fingerprint of the request that was answered before, 16 bytes.
    """

    index: int
    sample: Sample
    request: Request | None
    answer: Generation | Failure | None = None
    key: bytes | None = None


class SampleSource:
    """Reads a task's samples; all methods block and belong in a thread."""

    def __init__(self, task: PlannedTask) -> None:
        self._task = task
        self._samples: Iterator[tuple[int, Sample]] | None = None
        self._seen = DuplicateFilter()

    def read(self) -> list[tuple[int, Sample]]:
        """Read the next chunk; an empty list at the end.

        Raises:
            DatasetError: a sample cannot be read or is not as it should be, an id comes twice,
                or there is no sample.
        """
        first = self._samples is None
        what = f"data set '{self._task.dataset_name}' cannot be read"
        with wrap_plugin_errors(DatasetError, what, where=self._task.key):
            if self._samples is None:
                samples = self._task.dataset.samples()
                self._samples = enumerate(itertools.islice(samples, self._task.limit))
            chunk = list(itertools.islice(self._samples, CHUNK_SIZE))
        for index, sample in chunk:
            problem = sample_problem(sample, index)
            if problem is not None:
                raise DatasetError(
                    f"{problem}, in data set '{self._task.dataset_name}'",
                    where=self._task.key,
                    hint="this is a bug in the plugin; tell its author",
                )
        if first and not chunk:
            raise DatasetError(
                f"data set '{self._task.dataset_name}' is empty",
                where=self._task.key,
                hint="check its path, its split and its filters",
            )
        ids = [sample.id for _, sample in chunk]
        twice = self._seen.add([hash(sample_id) for sample_id in ids])
        if twice:
            raise DatasetError(
                f"sample id '{ids[twice[0]]}' comes twice in data set '{self._task.dataset_name}'",
                where=self._task.key,
                hint="give each sample an id of its own, or leave `id` out to number them",
            )
        return chunk

    def close(self) -> None:
        """Free the temporary file of seen ids."""
        self._seen.close()


def prepare(prompter: Prompter, chunk: list[tuple[int, Sample]]) -> list[PreparedSample]:
    """Make the request of each sample; a template that fails makes a Failure."""
    prepared = []
    for index, sample in chunk:
        try:
            prepared.append(PreparedSample(index, sample, prompter.request(sample)))
        except PromptError as err:
            failure = Failure("prompt", f"{err} (sample '{sample.id}')", hint=err.hint)
            prepared.append(PreparedSample(index, sample, None, failure))
    return prepared


class DuplicateFilter:
    """Finds what comes twice among millions, in a few MiB: 64-bit hashes in a temporary table.

    Two different things that share a hash would be taken for one: for a million the chance is 3
    in 100 million.
    """

    def __init__(self) -> None:
        # A run that ends early closes the table while a thread may still be at it, and SQLite
        # does not survive that.
        self._lock = threading.Lock()
        self._closed = False
        self._table = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._table.execute("PRAGMA cache_size=-2048")
        self._table.execute("PRAGMA journal_mode=MEMORY")
        self._table.execute("CREATE TABLE seen (hash INTEGER PRIMARY KEY) WITHOUT ROWID")

    def add(self, hashes: list[int]) -> list[int]:
        """Remember up to `CHUNK_SIZE` hashes; return the positions of those that came before."""
        with self._lock:
            return self._add(hashes) if hashes and not self._closed else []

    def _add(self, hashes: list[int]) -> list[int]:
        # Few statements, not one a hash: each gives up the interpreter's lock.
        try:
            self._insert(hashes)
        except sqlite3.IntegrityError:
            return self._add_unknown(hashes)
        return []

    def _insert(self, hashes: list[int]) -> None:
        values = ",".join(["(?)"] * len(hashes))
        self._table.execute(f"INSERT INTO seen VALUES {values}", hashes)  # noqa: S608

    def _add_unknown(self, hashes: list[int]) -> list[int]:
        marks = ",".join("?" * len(hashes))
        known = f"SELECT hash FROM seen WHERE hash IN ({marks})"  # noqa: S608
        seen = {found for (found,) in self._table.execute(known, hashes)}
        new: list[int] = []
        again: list[int] = []
        for position, one in enumerate(hashes):
            if one in seen:
                again.append(position)
            else:
                seen.add(one)
                new.append(one)
        if new:
            self._insert(new)
        return again

    def close(self) -> None:
        """Delete the table; nothing is found from then on."""
        with self._lock:
            self._closed = True
            self._table.close()
