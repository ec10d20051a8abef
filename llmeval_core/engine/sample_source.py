"""The samples of a task in batches: numbered, limited, each id once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from llmeval_core.engine.duplicate_filter import DuplicateFilter
from llmeval_core.errors import DatasetError, wrap_plugin_errors
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import Prompter, PromptError
from llmeval_core.records import Failure, Generation, Request, Sample, sample_problem

BATCH_SIZE = 256
MAX_CACHED = 20_000
"""Samples that are kept for the next model, at most."""

NumberedSample = tuple[int, Sample]
"""A sample and its place in the data set, from 0."""


@dataclass(slots=True)  # not frozen: that would take three times as long to make
class PreparedSample:
    """A sample with its place and its request, or with why there is no request.

    Args:
        index: place in the data set, from 0.
        sample: the sample.
        request: what to send; None if it cannot be made, or was answered before.
        answer: what an earlier task was answered, or why there is no request; None if the
            request is still to be looked up or sent.
        key: fingerprint of the request that was answered before, 16 bytes.
    """

    index: int
    sample: Sample
    request: Request | None
    answer: Generation | Failure | None = None
    key: bytes | None = None


class SampleCache:
    """The samples of small data sets, so that a plan with many models reads each once.

    Only what fits into one batch is kept, and no more than `MAX_CACHED` samples in all.
    """

    def __init__(self) -> None:
        self._samples: dict[str, list[NumberedSample]] = {}
        self._n_cached = 0

    def get(self, task: PlannedTask) -> list[NumberedSample] | None:
        """Return all samples of a task; None if they are not kept."""
        return self._samples.get(task.definition_fingerprint)

    def add(self, task: PlannedTask, samples: list[NumberedSample]) -> None:
        """Keep all samples of a task, if there is room."""
        definition = task.definition_fingerprint
        if self._n_cached + len(samples) <= MAX_CACHED and definition not in self._samples:
            self._n_cached += len(samples)
            self._samples[definition] = samples


class SampleSource:
    """Reads a task's samples; all methods block and belong in a thread.

    Args:
        task: whose samples.
        cache: where the samples of small data sets are kept; None to read them again each time.

    Attributes:
        is_exhausted: whether the last sample was read.
    """

    def __init__(self, task: PlannedTask, cache: SampleCache | None = None) -> None:
        self._task = task
        self._cache = cache
        self._samples: Iterator[NumberedSample] | None = None
        self._seen_ids = DuplicateFilter()
        self.is_exhausted = False

    def read(self) -> list[NumberedSample]:
        """Read the next batch; an empty list at the end.

        Raises:
            DatasetError: a sample cannot be read or is not as it should be, an id comes twice,
                or there is no sample.
        """
        if self.is_exhausted:
            return []
        is_first = self._samples is None
        cached = self._cache.get(self._task) if self._cache is not None and is_first else None
        if cached is not None:
            self.is_exhausted = True
            return cached
        batch = self._read_batch()
        self.is_exhausted = len(batch) < BATCH_SIZE
        self._check(batch, is_first=is_first)
        if self._cache is not None and is_first and self.is_exhausted:
            self._cache.add(self._task, batch)
        return batch

    def close(self) -> None:
        """Free the temporary file of seen ids."""
        self._seen_ids.close()

    def _read_batch(self) -> list[NumberedSample]:
        what = f"data set '{self._task.dataset_name}' cannot be read"
        with wrap_plugin_errors(DatasetError, what, where=self._task.key):
            if self._samples is None:
                samples = self._task.dataset.samples()
                self._samples = enumerate(itertools.islice(samples, self._task.limit))
            return list(itertools.islice(self._samples, BATCH_SIZE))

    def _check(self, batch: list[NumberedSample], *, is_first: bool) -> None:
        name = self._task.dataset_name
        for index, sample in batch:
            problem = sample_problem(sample, index)
            if problem is not None:
                raise DatasetError(
                    f"{problem}, in data set '{name}'",
                    where=self._task.key,
                    hint="this is a bug in the plugin; tell its author",
                )
        if is_first and not batch:
            raise DatasetError(
                f"data set '{name}' is empty",
                where=self._task.key,
                hint="check its path, its split and its filters",
            )
        ids = [sample.id for _, sample in batch]
        repeated = self._seen_ids.add([hash(sample_id) for sample_id in ids])
        if repeated:
            raise DatasetError(
                f"sample id '{ids[repeated[0]]}' comes twice in data set '{name}'",
                where=self._task.key,
                hint="give each sample an id of its own, or leave `id` out to number them",
            )


def prepare(prompter: Prompter, batch: list[NumberedSample]) -> list[PreparedSample]:
    """Make the request of each sample; a template that fails makes a Failure."""
    prepared = []
    for index, sample in batch:
        try:
            prepared.append(PreparedSample(index, sample, prompter.request(sample)))
        except PromptError as err:
            failure = Failure("prompt", f"{err} (sample '{sample.id}')", hint=err.hint)
            prepared.append(PreparedSample(index, sample, None, failure))
    return prepared
