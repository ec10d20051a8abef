"""A data set of rows: the same for every kind of file."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from typing import Literal

from llmeval_core.hooks import DatasetError, Sample, TaskDefaults, fingerprint
from llmeval_datasets.rows.interpretation import RowInterpretation
from llmeval_datasets.rows.rich_rows import rich_digest
from llmeval_datasets.rows.sample_maker import SampleMaker
from llmeval_datasets.rows.sources import InvalidRow, RowSource
from llmeval_datasets.rows.survey import decide
from llmeval_datasets.rows.values import FieldError, NoFieldError

READING = 2
"""Part of every fingerprint; raised when the same rows begin to give other samples."""

_log = logging.getLogger("llmeval")


class RowDataset:
    """Samples from rows; satisfies `contracts.Dataset`.

    Args:
        name: what task keys begin with.
        defaults: how it is usually asked.
        sources: read one after another.
        pool: sources of few-shot examples; the evaluated rows themselves if empty.
        maker: turns rows into samples.
        on_error: stop at a bad row, or skip and count it.
        size: how many samples there are; None if unknown.
        fingerprint: digest of content and settings.
    """

    def __init__(
        self,
        name: str,
        *,
        defaults: TaskDefaults,
        sources: tuple[RowSource, ...],
        pool: tuple[RowSource, ...],
        maker: SampleMaker,
        on_error: Literal["stop", "skip"],
        size: Callable[[], int | None],
        fingerprint: Callable[[], str],
    ) -> None:
        self.name = name
        self.defaults = defaults
        self._sources = sources
        self._pool = pool
        self._maker = maker
        self._on_error = on_error
        self._size = size
        self._fingerprint = fingerprint
        self._decision: RowInterpretation | None = None
        self._rich: str | None = None
        # Samples and examples are read from two threads; the rows are looked through once.
        self._deciding = threading.Lock()

    def samples(self) -> Iterator[Sample]:
        """Stream the samples in the order of the rows.

        Raises:
            DatasetError: a row is wrong, unless bad rows are skipped.
        """
        return self._read(self._sources)

    def few_shot_pool(self) -> Iterator[Sample]:
        """Stream samples to take examples from.

        Raises:
            DatasetError: as `samples`.
        """
        return self._read(self._pool or self._sources)

    def size(self) -> int | None:
        """Count the samples; None if some may be skipped.

        Raises:
            DatasetError: the rows do not say how they are meant, or cannot be read.
        """
        self._decide()
        return None if self._on_error == "skip" else self._size()

    def fingerprint(self) -> str:
        """Return a digest of content and settings, and of images in files beside it.

        Raises:
            DatasetError: the rows cannot be read.
        """
        digest = self._fingerprint()
        if not self._maker.may_be_rich:
            return digest
        decision = self._decide()
        with self._deciding:
            if self._rich is None:
                self._rich = rich_digest(self._maker, decision, (*self._sources, *self._pool))
        return fingerprint([digest, self._rich]) if self._rich else digest

    def notes(self) -> tuple[str, ...]:
        """Say what was decided of the rows: what stands in columns, how answers are read.

        Raises:
            DatasetError: it cannot be decided.
        """
        return self._decide().notes

    def _decide(self) -> RowInterpretation:
        with self._deciding:
            if self._decision is None:
                all_rows = self._on_error == "skip"
                decision = decide(self._maker, self._sources, self._pool, all_rows=all_rows)
                for text in decision.warnings:
                    _log.warning("%s: %s", self.name, text)
                self._decision = decision
            return self._decision

    def _read(self, sources: tuple[RowSource, ...]) -> Iterator[Sample]:
        make, decision = self._maker.make, self._decide()
        count = n_bad = 0
        first_bad: DatasetError | None = None
        for source in sources:
            category = source.category
            for number, row in source.rows():
                try:
                    if isinstance(row, InvalidRow):
                        raise FieldError(row.why, hint=row.hint)
                    sample = make(
                        row, count, decision=decision, category=category, folder=source.folder
                    )
                except FieldError as err:
                    bad = _named(err, source, number)
                    if self._on_error == "stop":
                        raise bad from None
                    first_bad = first_bad or bad
                    n_bad += 1
                    continue
                count += 1
                yield sample
        if first_bad is not None:
            if not count:
                raise DatasetError(
                    f"all {n_bad} rows are bad; the first: {first_bad.what}",
                    where=first_bad.where,
                    hint=first_bad.hint,
                )
            _log.warning(
                "%s: %d bad rows skipped; the first: %s, %s",
                self.name,
                n_bad,
                first_bad.where,
                first_bad.what,
            )
        elif not count and sources:
            raise DatasetError(
                "there is no row", where=sources[0].label, hint="check the path and the file"
            )


def _named(err: FieldError, source: RowSource, number: int | str) -> DatasetError:
    advice = source.advice if isinstance(err, NoFieldError) else None
    return DatasetError(
        str(err),
        where=source.place(number),
        hint=err.hint or advice or "mend the row, map the field, or set `on_error: skip`",
    )


def legal_name(text: str) -> str:
    """Make a data set's name of a file's: no space, slash, colon or wildcard."""
    return re.sub(r"[\s/:*?\[\]]+", "_", text).strip("_-") or "data"
