"""How complete the values of a run are: less complete values never replace more complete ones.

Other people and machines write to the same run, so the run itself says how many samples its values
are of: in a tag for each task, by metric. Another tag has digests of the conditions.
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
_MAX_NAMED = 6


def read_coverage(result: TaskResult, tags: Mapping[str, str]) -> dict[str, Coverage]:
    """Read how complete a run's values of a task are, by metric; foreign content is skipped."""
    found = {
        name: coverage
        for name, stored in _stored_coverage(result.task, tags).items()
        if (coverage := Coverage.from_list(stored)) is not None
    }
    if not found and (older := _coverage_of_older_version(result, tags)) is not None:
        found = dict.fromkeys((metric.metric for metric in result.metrics), older)
    return found


def coverage_tags(result: TaskResult, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags with how many samples, and which conditions, a task's values are of."""
    by_metric = _stored_coverage(result.task, tags)
    by_metric |= {
        metric.metric: coverage_of(result, metric.metric).as_list() for metric in result.metrics
    }
    found = {
        legal_key(COVERAGE + result.task): json.dumps(by_metric, ensure_ascii=False),
        legal_key(CONDITIONS + result.task): json.dumps(_digests(result), ensure_ascii=False),
    }
    return {tag: text for tag, text in found.items() if len(text) <= MAX_TAG}


def changed_conditions(result: TaskResult, tags: Mapping[str, str]) -> str | None:
    """Name the conditions that differ from those of the run's values; None if none does.

    Conditions of metrics that only one of the two has are not compared.
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
    more = f" and {len(changed) - _MAX_NAMED} more" if len(changed) > _MAX_NAMED else ""
    return f"{result.task}: changed under the same key: {', '.join(changed[:_MAX_NAMED])}{more}"


def _is_common(name: str, before: Mapping[str, object], metrics: set[str]) -> bool:
    """Whether a condition belongs to no metric, or to one that both results have."""
    if not name.startswith("metrics."):
        return True
    of = ".".join(name.split(".")[:2])
    return of in metrics and any(one.startswith(f"{of}.") for one in before)


def _digests(result: TaskResult) -> dict[str, str]:
    """Return a short digest of each condition; a template itself would be too long for a tag."""
    return {
        name: hashlib.blake2b(json.dumps(value, sort_keys=True).encode()).hexdigest()[
            :_DIGEST_CHARS
        ]
        for name, value in conditions(result).items()
    }


def _coverage_of_older_version(result: TaskResult, tags: Mapping[str, str]) -> Coverage | None:
    """Read what versions before 0.2 wrote: counts, and not whether those are all samples."""
    n_samples = tags.get(legal_key(N_SAMPLES + result.task), "")
    n_failed = tags.get(legal_key(N_FAILED + result.task), "")
    if not (n_samples.isdecimal() and n_failed.isdecimal()):
        return None
    known = Coverage(int(n_samples), None, int(n_failed), is_whole=False)
    return replace(known, is_whole=coverage_of(result).is_whole)


def _stored_coverage(task: str, tags: Mapping[str, str]) -> dict[str, Json]:
    return read_object(tags.get(legal_key(COVERAGE + task), ""))
