"""A result in the summary and config of its model's run."""

from __future__ import annotations

import hashlib
import json
import re

from llmeval_core.hooks import OUTCOMES, Coverage, TaskResult, coverage_of
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
    keys = _keys_of_whole_metrics(result)
    coverage = coverage_of(result)
    left_out = _less_complete(state, result)
    state.add_result(result.task, result.id)
    kept = [metric for metric in result.metrics if metric.metric not in left_out]
    note = None
    if left_out:
        note = (
            f"{result.task}: {result.n_samples} samples ({result.n_failed} failed) give way to the"
            " more complete numbers that the run has; --replace puts them there"
        )
    if not kept:
        return note
    for name, key in keys.items():
        if name not in left_out:
            _clear_metric(state, key)
            state.summary[_COVERAGE + key] = json.dumps(coverage.as_list())
    state.config["model_name"] = result.model
    state.config["llmeval_version"] = result.llmeval_version
    datasets = state.config.setdefault("datasets", {})
    if isinstance(datasets, dict):
        datasets[result.dataset] = result.dataset_fingerprint
    definitions = state.config.setdefault("definitions", {})
    for metric in kept:
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
    """Whether the run has a more complete value of every metric of a result."""
    keys = _keys_of_whole_metrics(result).keys()
    return bool(result.metrics) and _less_complete(state, result) >= keys


def _less_complete(state: RunState, result: TaskResult) -> set[str]:
    """Name the metrics of a result of which the run has more complete values."""
    if result.replaces:
        return set()
    coverage = coverage_of(result)
    return {
        name
        for name, key in _keys_of_whole_metrics(result).items()
        if (known := _coverage(state, key) or _coverage_of_older_version(state, result, key))
        and coverage.is_less_than(known)
    }


def _keys_of_whole_metrics(result: TaskResult) -> dict[str, str]:
    """Return the keys of the metrics that are not of one category, by the metric's name."""
    return {metric.metric: metric.key for metric in result.metrics if metric.category is None}


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
