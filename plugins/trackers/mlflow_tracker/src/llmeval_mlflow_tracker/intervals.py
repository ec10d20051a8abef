"""The interval and the number of samples of each value of a run, for the run's description.

A standard error of 0 says little: scores that are all 0 or all 1 have it. So the description shows
the interval if a metric has one. Intervals are in a tag for each task, each with the value that it
belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from llmeval_core.hooks import Json, TaskResult
from llmeval_mlflow_tracker.coercion import as_number
from llmeval_mlflow_tracker.names import HIDDEN, MAX_TAG, legal_key
from llmeval_mlflow_tracker.tags import read_object

SPREADS = f"{HIDDEN}scored."


@dataclass(frozen=True, slots=True)
class ValueSpread:
    """How sure one value is.

    Args:
        value: the value itself, to recognise it by.
        interval: its 95 % bounds; None if it has none.
        n: the samples that it was computed from.
    """

    value: float
    interval: tuple[float, float] | None
    n: int

    def shown(self, stderr: float | None) -> str:
        """Write the interval, or else the standard error, and n."""
        spread = "" if stderr is None else f"{stderr:.4f}, "
        if self.interval is not None:
            spread = f"[{self.interval[0]:.4f}, {self.interval[1]:.4f}], "
        return f"{spread}n={self.n}"


def spread_tags(result: TaskResult, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag with the spreads of a task; categories are left out if it is full.

    Args:
        result: the newest; spreads of the task's other metrics stay.
        tags: the run's tags.
    """
    tag = legal_key(SPREADS + result.task)
    own = {legal_key(metric.key) for metric in result.metrics if metric.category is None}
    kept = {
        key: entry
        for key, entry in read_object(tags.get(tag, "")).items()
        if key.partition("/")[0] not in own
    }
    entries: dict[str, Json] = {**kept}
    for metric in result.metrics:
        value = as_number(metric.aggregate.value)
        if value is not None:
            bounds = list(metric.aggregate.interval or (None, None))
            entries[legal_key(metric.key)] = [value, *bounds, metric.aggregate.n_scored]
    text = json.dumps(entries, ensure_ascii=False)
    if len(text) > MAX_TAG:
        whole = {key: entry for key, entry in entries.items() if "/" not in key}
        text = json.dumps(whole, ensure_ascii=False)
    return {tag: text} if len(text) <= MAX_TAG else {}


def read_spreads(tags: Mapping[str, str]) -> dict[str, ValueSpread]:
    """Read the spreads of a run, by metric key; foreign content is skipped."""
    found: dict[str, ValueSpread] = {}
    for tag, text in tags.items():
        if not tag.startswith(SPREADS):
            continue
        for key, entry in read_object(text).items():
            match entry:
                case [int() | float() as value, float() as low, float() as high, int(n)]:
                    found[key] = ValueSpread(value, (low, high), n)
                case [int() | float() as value, None, None, int(n)]:
                    found[key] = ValueSpread(value, None, n)
                case _:
                    continue
    return found
