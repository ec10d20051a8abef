"""Of how many samples each number of a run is, and between which bounds: for its description.

A standard error of 0 is not sure: scores that are all 0 or all 1 have one. So the description shows
the interval where a metric has one. It is kept in a tag for each task, beside the value it is of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from llmeval_core.hooks import Json, TaskResult
from llmeval_mlflow_tracker.coercion import as_number
from llmeval_mlflow_tracker.names import HIDDEN, MAX_TAG, legal_key
from llmeval_mlflow_tracker.tags import read_object

SCORED = f"{HIDDEN}scored."


@dataclass(frozen=True, slots=True)
class Scored:
    """What stands beside one number.

    Args:
        value: the number itself, to see that it is the one that is meant.
        interval: its 95 % bounds; None if it has none.
        n: the samples that it is of.
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


def scored_tags(result: TaskResult, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag with what stands beside each number of a task; categories go if it is full.

    Args:
        result: the newest; of other metrics of its task, what the run has stays.
        tags: the run's tags.
    """
    tag = legal_key(SCORED + result.task)
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


def read_scored(tags: Mapping[str, str]) -> dict[str, Scored]:
    """Read what the tags of a run say, by metric key; what is not ours is skipped."""
    found: dict[str, Scored] = {}
    for tag, text in tags.items():
        if not tag.startswith(SCORED):
            continue
        for key, entry in read_object(text).items():
            match entry:
                case [int() | float() as value, float() as low, float() as high, int(n)]:
                    found[key] = Scored(value, (low, high), n)
                case [int() | float() as value, None, None, int(n)]:
                    found[key] = Scored(value, None, n)
                case _:
                    continue
    return found
