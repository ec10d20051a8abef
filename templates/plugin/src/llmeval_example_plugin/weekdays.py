"""A data set: which day comes after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import Field

from llmeval_core.hooks import (
    Component,
    ComponentConfig,
    Dataset,
    GenerationConfig,
    PromptConfig,
    Sample,
    Settings,
    TaskDefaults,
    fingerprint,
    hookimpl,
)

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}


class WeekdaysSettings(Settings):
    """What a user can set."""

    language: Literal["en", "de"] = Field(default="en", description="Language of the names.")


class Weekdays:
    """Seven questions; each weekday is an example for the others."""

    def __init__(self, settings: WeekdaysSettings) -> None:
        self.name = f"weekdays_{settings.language}"
        self.defaults = TaskDefaults(
            prompt=PromptConfig(template="{{ input }} ->"),
            generation=GenerationConfig(max_tokens=8, stop=("\n",)),
            metrics=(ComponentConfig(use="exact_match"),),
        )
        self._days = _DAYS[settings.language]

    def samples(self) -> Iterator[Sample]:
        """Stream the questions."""
        for index, day in enumerate(self._days):
            following = self._days[(index + 1) % len(self._days)]
            yield Sample(id=day, input=day, references=(following,))

    def few_shot_pool(self) -> Iterator[Sample]:
        """Stream the same; no sample is ever shown to itself."""
        return self.samples()

    def size(self) -> int:
        """Count them."""
        return len(self._days)

    def fingerprint(self) -> str:
        """Return a digest of the content."""
        return fingerprint(list(self._days))


@hookimpl
def llmeval_register_datasets() -> Iterable[Component[Any, Dataset]]:
    """Offer the data set; Any: its settings."""
    yield Component(
        "weekdays",
        WeekdaysSettings,
        Weekdays,
        "the day after a weekday",
        argument="language",
        example="tasks:\n  - dataset: weekdays:de\n    shots: 2",
    )
