"""Where samples come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from llmeval_core.config import TaskDefaults
from llmeval_core.records import Sample


@runtime_checkable
class Dataset(Protocol):
    """Samples to evaluate, and examples to show.

    Its attributes are only read, so that a frozen dataclass fits.
    """

    @property
    def name(self) -> str:
        """What task keys begin with; no space, slash or colon."""

    @property
    def defaults(self) -> TaskDefaults:
        """How this data set is usually asked; a task in the run file overrides it."""

    def samples(self) -> Iterable[Sample]:
        """Stream the samples in a stable order; called at least once a run, from a thread.

        Raises:
            DatasetError: a line or a field is wrong; `where` says which.
        """

    def few_shot_pool(self) -> Iterable[Sample]:
        """Stream samples to take examples from; may be the evaluated ones themselves.

        The engine never shows a sample to itself: what has the same input is left out.
        """

    def size(self) -> int | None:
        """Count the samples cheaply; None if that would mean reading everything."""

    def fingerprint(self) -> str:
        """Return a digest of content and settings; equal exactly if the samples are equal."""
