"""What of a result takes the place of what a run has: never less complete numbers.

Other people and machines write to the same run, so it is the run that says of how many samples its
numbers are: in a tag for each task, by metric.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from llmeval_core.hooks import Coverage, Json, TaskResult, conditions, coverage_of
from llmeval_mlflow_tracker.names import HIDDEN, MAX_TAG, legal_key
from llmeval_mlflow_tracker.tags import N_FAILED, N_SAMPLES, read_object

COVERAGE = f"{HIDDEN}coverage."
CONDITIONS = f"{HIDDEN}conditions."
_DIGEST_CHARS = 8
_MOST_NAMED = 6


def standing_part(
    result: TaskResult, tags: Mapping[str, str]
) -> tuple[TaskResult | None, str | None]:
    """Take out of a result the metrics that give way to more complete ones on the run.

    Args:
        result: the new one.
        tags: the run's tags.

    Returns:
        What is left of the result, None if nothing; and what the user should know.
    """
    if result.replaces:
        return result, None
    known, new = _read_coverage(result, tags), coverage_of(result)
    names = {metric.metric for metric in result.metrics}
    out = {name for name in names if name in known and new.is_less_than(known[name])}
    if not out:
        return result, None
    more = max(known[name].n_samples for name in out)
    note = (
        f"{result.task}: {result.n_samples} samples ({result.n_failed} failed) give way to the more"
        f" complete numbers of {more} samples that the run has; --replace puts them there"
    )
    left = tuple(metric for metric in result.metrics if metric.metric not in out)
    return (result.model_copy(update={"metrics": left}) if left else None), note


def standing_tags(result: TaskResult, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that say of how many samples, and under which conditions, numbers are."""
    coverage = coverage_of(result)
    by_metric = _stored_coverage(result.task, tags)
    by_metric |= {metric.metric: coverage.as_list() for metric in result.metrics}
    found = {
        legal_key(COVERAGE + result.task): json.dumps(by_metric, ensure_ascii=False),
        legal_key(CONDITIONS + result.task): json.dumps(_digests(result), ensure_ascii=False),
    }
    return {tag: text for tag, text in found.items() if len(text) <= MAX_TAG}


def what_changed(result: TaskResult, tags: Mapping[str, str]) -> str | None:
    """Say which conditions are not what they were for the numbers that the run has; None if equal.

    Metrics that only one of the two has do not count.
    """
    before = read_object(tags.get(legal_key(CONDITIONS + result.task), ""))
    if not before:
        return None
    now = _digests(result)
    metrics = {f"metrics.{metric.metric}" for metric in result.metrics}
    changed = sorted(
        name
        for name in before.keys() | now.keys()
        if before.get(name) != now.get(name) and _is_common(name, before, metrics)
    )
    if not changed:
        return None
    more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
    return f"{result.task}: changed under the same key: {', '.join(changed[:_MOST_NAMED])}{more}"


def _is_common(name: str, before: Mapping[str, object], metrics: set[str]) -> bool:
    """Whether a condition is none of a metric that one of the two results has not."""
    if not name.startswith("metrics."):
        return True
    of = ".".join(name.split(".")[:2])
    return of in metrics and any(one.startswith(f"{of}.") for one in before)


def _digests(result: TaskResult) -> dict[str, str]:
    """Return a short digest of each condition: templates are too long for a tag."""
    return {
        name: hashlib.blake2b(json.dumps(value, sort_keys=True).encode()).hexdigest()[
            :_DIGEST_CHARS
        ]
        for name, value in conditions(result).items()
    }


def _read_coverage(result: TaskResult, tags: Mapping[str, str]) -> dict[str, Coverage]:
    """Read how complete a run's numbers of a task are, by metric; what is not ours is skipped."""
    found = {
        name: coverage
        for name, stored in _stored_coverage(result.task, tags).items()
        if (coverage := Coverage.from_list(stored)) is not None
    }
    if not found and (older := _coverage_of_older(result, tags)) is not None:
        found = dict.fromkeys((metric.metric for metric in result.metrics), older)
    return found


def _coverage_of_older(result: TaskResult, tags: Mapping[str, str]) -> Coverage | None:
    """Read what versions before 0.2 noted: counts, and not whether that was all."""
    n_samples = tags.get(legal_key(N_SAMPLES + result.task), "")
    n_failed = tags.get(legal_key(N_FAILED + result.task), "")
    if not (n_samples.isdecimal() and n_failed.isdecimal()):
        return None
    known = Coverage(int(n_samples), None, int(n_failed), is_whole=False)
    return replace(known, is_whole=coverage_of(result).is_whole)


def _stored_coverage(task: str, tags: Mapping[str, str]) -> dict[str, Json]:
    return read_object(tags.get(legal_key(COVERAGE + task), ""))
