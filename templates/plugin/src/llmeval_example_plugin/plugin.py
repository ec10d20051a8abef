"""The hooks: what this distribution offers. Cheap to import; factories do the heavy work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmeval_core.hooks import Component, Dataset, Metric, Tracker, hookimpl
from llmeval_example_plugin.brevity import Brevity, BrevitySettings
from llmeval_example_plugin.csv_file import CsvFileSettings, CsvFileTracker
from llmeval_example_plugin.weekdays import Weekdays, WeekdaysSettings


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


@hookimpl
def llmeval_register_metrics() -> Iterable[Component[Any, Metric]]:
    """Offer the metric; Any: its settings."""
    yield Component("brevity", BrevitySettings, Brevity, "short answers are better")


@hookimpl
def llmeval_register_trackers() -> Iterable[Component[Any, Tracker]]:
    """Offer the tracker; Any: its settings."""
    yield Component("csv_file", CsvFileSettings, CsvFileTracker, "a CSV file", argument="path")
