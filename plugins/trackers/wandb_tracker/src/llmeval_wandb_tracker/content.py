"""A result as W&B gets it: summary, config and a table of samples."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from itertools import islice

from llmeval_core.hooks import (
    OUTCOMES,
    Coverage,
    Json,
    ReasoningFinder,
    ReasoningSplit,
    SampleResult,
    TaskResult,
    coverage_of,
    parted_answers,
)
from llmeval_wandb_tracker.memory import Memory

_COVERAGE = "llmeval/coverage/"
_MAX_CELL = 4000
_MAX_ARTIFACT_NAME = 100
_NOT_ARTIFACT = re.compile(r"[^A-Za-z0-9_.-]+")


def run_id(model: str) -> str:
    """Return the id of a model's run, the same on every machine and legal whatever the name."""
    return "llmeval-" + _digest(model)


def artifact_name(model: str, task: str) -> str:
    """Return the name of the artifact with a task's samples; no two tasks share one."""
    readable = _NOT_ARTIFACT.sub("-", task)[:_MAX_ARTIFACT_NAME]
    return f"samples-{readable}-{_digest(model + '/' + task)}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def add_result(memory: Memory, result: TaskResult) -> str | None:
    """Lay a result over what the run has: the same key overwrites, another is added.

    Metrics that give way to more complete ones on the run are left out. What it has of a metric
    and the result has not (a category, a standard error, a value) becomes None, which W&B shows as
    nothing.

    Returns:
        What the user should know; None if nothing.
    """
    whole = _whole(result)
    new = coverage_of(result)
    out = _giving_way(memory, result)
    memory.add_result(result.task, result.id)
    kept = [metric for metric in result.metrics if metric.metric not in out]
    note = None
    if out:
        note = (
            f"{result.task}: {result.n_samples} samples ({result.n_failed} failed) give way to the"
            " more complete numbers that the run has; --replace puts them there"
        )
    if not kept:
        return note
    for name, key in whole.items():
        if name not in out:
            _take_back(memory, key)
            memory.summary[_COVERAGE + key] = json.dumps(new.as_list())
    memory.config["model_name"] = result.model
    memory.config["llmeval_version"] = result.llmeval_version
    data_sets = memory.config.setdefault("datasets", {})
    if isinstance(data_sets, dict):
        data_sets[result.dataset] = result.dataset_fingerprint
    definitions = memory.config.setdefault("definitions", {})
    for metric in kept:
        if metric.aggregate.value is not None:
            memory.summary[metric.key] = metric.aggregate.value
        if metric.aggregate.stderr is not None:
            memory.summary[f"{metric.key}_stderr"] = metric.aggregate.stderr
        if metric.category is None and isinstance(definitions, dict):
            definitions[metric.key] = metric.definition
    memory.summary[f"llmeval/n_samples/{result.task}"] = result.n_samples
    memory.summary[f"llmeval/n_failed/{result.task}"] = result.n_failed
    for outcome in OUTCOMES if result.outcomes else ():
        if outcome not in ("answered", "failed"):
            memory.summary[f"llmeval/n_{outcome}/{result.task}"] = result.outcomes.get(outcome, 0)
    memory.summary["llmeval/updated_at"] = result.finished_at
    return note


def gives_way(memory: Memory, result: TaskResult) -> bool:
    """Whether every number of a result gives way to more complete ones on the run."""
    return bool(result.metrics) and _giving_way(memory, result) >= _whole(result).keys()


def _giving_way(memory: Memory, result: TaskResult) -> set[str]:
    """Name the metrics of a result that give way to more complete ones on the run."""
    if result.replaces:
        return set()
    new = coverage_of(result)
    return {
        name
        for name, key in _whole(result).items()
        if (known := _coverage(memory, key) or _coverage_of_older(memory, result, key))
        and new.is_less_than(known)
    }


def _whole(result: TaskResult) -> dict[str, str]:
    return {metric.metric: metric.key for metric in result.metrics if metric.category is None}


def _take_back(memory: Memory, key: str) -> None:
    """Let a metric go, with its categories and standard errors."""
    definitions = memory.config.get("definitions")
    for known in memory.summary:
        belongs = known == key or known.startswith(f"{key}/")
        is_own = isinstance(definitions, dict) and known in definitions
        if belongs or (known == f"{key}_stderr" and not is_own):
            memory.summary[known] = None


def _coverage(memory: Memory, key: str) -> Coverage | None:
    """Read how complete the numbers of a metric are; None if that was not noted."""
    try:
        return Coverage.from_list(json.loads(str(memory.summary.get(_COVERAGE + key, ""))))
    except ValueError:
        return None


def _coverage_of_older(memory: Memory, result: TaskResult, key: str) -> Coverage | None:
    """Read what versions before 0.2 noted: counts, and not whether that was all."""
    if memory.summary.get(key) is None or _COVERAGE + key in memory.summary:
        return None
    n_samples = memory.summary.get(f"llmeval/n_samples/{result.task}")
    n_failed = memory.summary.get(f"llmeval/n_failed/{result.task}")
    if not isinstance(n_samples, int) or not isinstance(n_failed, int):
        return None
    return Coverage(n_samples, None, n_failed, is_whole=coverage_of(result).is_whole)


def sample_rows(
    samples: Iterable[SampleResult], *, max_rows: int, reasoning: ReasoningFinder | None = None
) -> tuple[list[str], list[list[Json]], bool]:
    """Return columns, rows in sample order, and whether samples were left out."""
    stream = iter(samples)
    kept = list(islice(stream, max_rows))
    metrics = sorted({name for sample in kept for name in sample.scores})
    # A metric may be called "outcome", and no two columns may.
    ended = "how it ended" if "outcome" in metrics else "outcome"
    columns = ["id", "category", "question", "expected", "reasoning", "answer", *metrics]
    finder = reasoning or ReasoningFinder()
    rows = [_row(sample, metrics, finder) for sample in kept]
    return [*columns, ended, "failure"], rows, next(stream, None) is not None


def _row(result: SampleResult, metrics: list[str], finder: ReasoningFinder) -> list[Json]:
    sample, generation, failure = result.sample, result.generation, result.failure
    expected = sample.references
    if not expected and sample.answer is not None:
        expected = (sample.choices[sample.answer],)
    answer = ReasoningSplit("", "")
    if generation is not None and generation.texts:
        answer = parted_answers(generation, finder)[0]
    scores: list[Json] = [
        None if (score := result.scores.get(name)) is None else score.value for name in metrics
    ]
    return [
        _cell(sample.id),
        _cell(sample.category or ""),
        _cell(sample.input_text),
        _cell("\n".join(expected)),
        _cell(answer.reasoning),
        _cell(answer.answer),
        *scores,
        result.outcome,
        "" if failure is None else _cell(f"{failure.kind}: {failure.message}"),
    ]


def _cell(text: str) -> str:
    """Return a text as a cell takes it: not too long, and without halves of an emoji."""
    cut = text if len(text) <= _MAX_CELL else f"{text[:_MAX_CELL]}…"
    return cut.encode("utf-8", "backslashreplace").decode()
