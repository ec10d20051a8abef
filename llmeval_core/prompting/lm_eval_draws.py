"""The examples that lm-eval would show: one stream of random numbers for all samples, in order.

Read in lm-eval 0.4.13, `lm_eval/api/samplers.py`. A sample's examples depend on every sample before
it, so they are all drawn when the pool is read, from the first sample on: whatever is asked at the
same time, was asked before, or is limited, each sample has the examples that lm-eval gives it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from llmeval_core.errors import ConfigError
from llmeval_core.plan import PlannedTask
from llmeval_core.printable import with_count
from llmeval_core.records import Sample

_COMPARED = 1000
"""Samples by which it is found out whether the pool is the evaluated samples themselves."""
_ADVICE = "ask for fewer shots, or name a larger pool"


class LmEvalDraws:
    """Which samples of the pool are shown with which sample.

    Where lm-eval evaluates the split that the examples are from, it draws one more, and leaves out
    the copies of the sample; if too few are left, it draws anew from all others. Elsewhere it does
    not look whether an example is the sample itself. Two samples are copies if all that was read of
    them is equal, but for ids that only number the rows.

    Args:
        task: its number of shots, its `few_shot` and its limit.
        pool: the whole pool.
        samples: the samples of the data set, from the first one; as many as needed are read.

    Attributes:
        n_shown_themselves: samples that are among their own examples.

    Raises:
        ConfigError: the pool has too few samples.
    """

    def __init__(
        self, task: PlannedTask, pool: Sequence[Sample], samples: Iterable[Sample]
    ) -> None:
        self._task = task
        self._is_numbered = all(sample.id == str(place) for place, sample in enumerate(pool))
        self._pool = [self._content(sample) for sample in pool]
        self._chance = random.Random(task.few_shot.draw_seed)  # noqa: S311  lm-eval's
        reading = iter(samples)
        first = list(itertools.islice(reading, min(len(pool), _COMPARED)))
        one_more = task.few_shot.one_more
        if one_more is None:
            one_more = [self._content(sample) for sample in first] == self._pool[: len(first)]
        self._one_more = one_more
        self._check_size()
        self.n_shown_themselves = 0
        wanted = itertools.islice(itertools.chain(first, reading), task.limit)
        self._drawn = dict(self._draw_all(wanted))

    def __getitem__(self, sample_id: str) -> tuple[int, ...]:
        """Return the places in the pool of a sample's examples, in the order in which they stand.

        Raises:
            KeyError: it is no sample of the task.
        """
        return self._drawn[sample_id]

    def _check_size(self) -> None:
        task, least = self._task, self._task.n_shots + self._one_more
        if len(self._pool) < least:
            more = ", and lm-eval draws one more" if self._one_more else ""
            raise ConfigError(
                f"the few-shot pool of '{task.dataset_name}' has "
                f"{with_count(len(self._pool), 'sample')}, {task.n_shots} are asked for{more}",
                where=task.key,
                hint=_ADVICE,
            )

    def _draw_all(self, samples: Iterable[Sample]) -> Iterator[tuple[str, tuple[int, ...]]]:
        places = range(len(self._pool))
        for sample in samples:
            if self._one_more:
                yield sample.id, tuple(self._draw_others(sample))
            else:
                drawn = tuple(self._chance.sample(places, self._task.n_shots))
                own = self._content(sample)
                self.n_shown_themselves += any(self._pool[place] == own for place in drawn)
                yield sample.id, drawn

    def _draw_others(self, sample: Sample) -> list[int]:
        """Draw one more than needed, without copies of the sample."""
        own, n_shots = self._content(sample), self._task.n_shots
        drawn = self._chance.sample(range(len(self._pool)), n_shots + 1)
        others = [place for place in drawn if self._pool[place] != own]
        if len(others) >= n_shots:
            return others[:n_shots]
        others = [place for place, content in enumerate(self._pool) if content != own]
        if len(others) < n_shots:
            raise ConfigError(
                f"the few-shot pool of '{self._task.dataset_name}' has only"
                f" {with_count(len(others), 'sample')} beside copies of '{sample.id}',"
                f" {n_shots} are asked for",
                where=self._task.key,
                hint=_ADVICE,
            )
        return self._chance.sample(others, n_shots)

    def _content(self, sample: Sample) -> Sample:
        return replace(sample, id="") if self._is_numbered else sample
