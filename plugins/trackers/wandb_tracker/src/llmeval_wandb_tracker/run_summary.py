"""A result in the summary and config of its model's run."""

from __future__ import annotations

import hashlib
import json
import re

from llmeval_core.hooks import (
    OUTCOMES,
    Coverage,
    TaskResult,
    coverage_of,
    without_less_complete,
)
from llmeval_wandb_tracker.run_state import RunState

_COVERAGE = "llmeval/coverage/"
_MAX_ARTIFACT_NAME = 100
_NOT_IN_ARTIFACT_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


def run_id(model: str) -> str:
    """Return the id of a model's run: the same on every machine, and legal for any name."""
    return "llmeval-" + _digest(model)


def artifact_name(model: str, task: str) -> str:
    """Return the name of the artifact with a task's samples; no two tasks share one."""
    readable = _NOT_IN_ARTIFACT_NAMES.sub("-", task)[:_MAX_ARTIFACT_NAME]
    return f"samples-{readable}-{_digest(model + '/' + task)}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def add_result(state: RunState, result: TaskResult) -> str | None:
    """Write a result into a run's state: values under known keys are replaced, others are added.

    Metrics of which the run has more complete values are left out. What the run has of a metric and
    the result has not (a category, a standard error, a value) becomes None, which W&B shows as
    nothing.

    Returns:
        What the user should know; None if nothing.
    """
    kept, note = without_less_complete(result, _known_coverage(state, result))
    state.add_result(result.task, result.id)
    if not kept.metrics:
        return note
    for metric in kept.metrics:
        if metric.category is None:
            _clear_metric(state, metric.key)
            coverage = coverage_of(result, metric.metric)
            state.summary[_COVERAGE + metric.key] = json.dumps(coverage.as_list())
    state.config["model_name"] = result.model
    state.config["llmeval_version"] = result.llmeval_version
    datasets = state.config.setdefault("datasets", {})
    if isinstance(datasets, dict):
        datasets[result.dataset] = result.dataset_fingerprint
    definitions = state.config.setdefault("definitions", {})
    for metric in kept.metrics:
        if metric.aggregate.value is not None:
            state.summary[metric.key] = metric.aggregate.value
        if metric.aggregate.stderr is not None:
            state.summary[f"{metric.key}_stderr"] = metric.aggregate.stderr
        if metric.category is None and isinstance(definitions, dict):
            definitions[metric.key] = metric.definition
    _add_counts(state, result)
    state.summary["llmeval/updated_at"] = result.finished_at
    return note


def _add_counts(state: RunState, result: TaskResult) -> None:
    """Write how many samples the task has, and how they ended."""
    state.summary[f"llmeval/n_samples/{result.task}"] = result.n_samples
    state.summary[f"llmeval/n_failed/{result.task}"] = result.n_failed
    for outcome in OUTCOMES if result.outcomes else ():
        if outcome not in ("answered", "failed"):
            state.summary[f"llmeval/n_{outcome}/{result.task}"] = result.outcomes.get(outcome, 0)


def is_all_less_complete(state: RunState, result: TaskResult) -> bool:
    """Whether the run has more complete values of every metric of a result."""
    kept, _ = without_less_complete(result, _known_coverage(state, result))
    return bool(result.metrics) and not kept.metrics


def _known_coverage(state: RunState, result: TaskResult) -> dict[str, Coverage]:
    """Read how complete the run's values of a result's metrics are, by metric."""
    return {
        metric.metric: known
        for metric in result.metrics
        if metric.category is None
        and (
            known := _coverage(state, metric.key)
            or _coverage_of_older_version(state, result, metric.key)
        )
    }


def _clear_metric(state: RunState, key: str) -> None:
    """Set a metric, its categories and its standard errors to None."""
    definitions = state.config.get("definitions")
    for known in state.summary:
        belongs = known == key or known.startswith(f"{key}/")
        is_own_metric = isinstance(definitions, dict) and known in definitions
        if belongs or (known == f"{key}_stderr" and not is_own_metric):
            state.summary[known] = None


def _coverage(state: RunState, key: str) -> Coverage | None:
    """Read how complete the values of a metric are; None if that is not known."""
    try:
        return Coverage.from_list(json.loads(str(state.summary.get(_COVERAGE + key, ""))))
    except ValueError:
        return None


def _coverage_of_older_version(state: RunState, result: TaskResult, key: str) -> Coverage | None:
    """Read what versions before 0.2 wrote: counts, and not whether those are all samples."""
    if state.summary.get(key) is None or _COVERAGE + key in state.summary:
        return None
    n_samples = state.summary.get(f"llmeval/n_samples/{result.task}")
    n_failed = state.summary.get(f"llmeval/n_failed/{result.task}")
    if not isinstance(n_samples, int) or not isinstance(n_failed, int):
        return None
    return Coverage(n_samples, None, n_failed, is_whole=coverage_of(result).is_whole)
