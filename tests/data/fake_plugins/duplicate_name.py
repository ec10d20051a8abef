"""A plugin that offers a data set under a name that `capitals` has too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmeval_core.hooks import Component, Dataset, Sample, Settings, TaskDefaults, hookimpl


class MoreCapitals:
    """One capital."""

    name = "capitals"
    defaults = TaskDefaults()

    def samples(self) -> Iterator[Sample]:
        yield Sample("k0", "Capital of Kenya?", ("Nairobi",))

    def few_shot_pool(self) -> Iterator[Sample]:
        return self.samples()

    def size(self) -> int | None:
        return 1

    def fingerprint(self) -> str:
        return "more-capitals"


@hookimpl
def llmeval_register_datasets() -> Iterable[Component[Settings, Dataset]]:
    """Offer the data set."""
    yield Component("capitals", Settings, lambda settings: MoreCapitals(), "capitals again")
