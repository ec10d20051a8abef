"""Which samples are wanted, and finding them in the journal: the one way for CLI, pages, Python."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from llmeval_core.api.group_members import members_of_key
from llmeval_core.completeness import current_by_metric, current_result
from llmeval_core.errors import ConfigError, UnknownNameError
from llmeval_core.journal import JournalQueries, StoredTask, score_bucket
from llmeval_core.naming import did_you_mean, did_you_mean_key, metric_key
from llmeval_core.reasoning import Tags, tags_in
from llmeval_core.records import OUTCOMES, Outcome

_MOST_NAMED = 5
"""Tasks of a group that are named where its samples are asked for."""


@dataclass(frozen=True, slots=True)
class SampleCriteria:
    """Which samples are wanted: those of a task, all of them if nothing else is said.

    Args:
        key: a task's key, or that of one of its metrics, with a category or without.
        model: `provider/model`; None for the only model that has such samples.
        metric: a metric of the task, if `key` names none.
        category: only samples of this category, if `key` names none; None for all.
        outcomes: only samples with one of these outcomes; empty for all.
        failed: those that failed.
        wrong: those with a bad score; together with `failed` the samples of both kinds.
    """

    key: str
    model: str | None = None
    metric: str | None = None
    category: str | None = None
    outcomes: frozenset[Outcome] = frozenset()
    failed: bool = False
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class SampleSelection:
    """The samples that criteria stand for.

    Args:
        task: of which task.
        metrics: the metrics that are asked about, with whether higher is better.
        one_metric: whether the criteria name a metric, and not the task alone.
        category: only samples of this category; None for all.
        reasoning_tags: how reasoning was told apart; see `llmeval_core.reasoning`.
        outcomes, failed, wrong: as in `SampleCriteria`.
    """

    task: StoredTask
    metrics: dict[str, bool]
    one_metric: bool
    category: str | None
    reasoning_tags: Tags | None = None
    outcomes: frozenset[Outcome] = frozenset()
    failed: bool = False
    wrong: bool = False

    @property
    def wrong_buckets(self) -> dict[str, tuple[int, ...]]:
        """The score buckets (see `llmeval_core.journal.score_bucket`) that are bad, by metric.

        If one metric is asked about: what is not perfect (below 1, or above 0 where lower is
        better). For a whole task: 0 from any metric (or 1 and more where lower is better).
        """
        return {
            metric: ((0, 1) if higher else (1, 2))
            if self.one_metric
            else ((0,) if higher else (2,))
            for metric, higher in self.metrics.items()
        }

    def is_bad(self, metric: str, value: float | None) -> bool:
        """Say whether a value of one metric is bad; one that is not asked about never is."""
        return value is not None and score_bucket(value) in self.wrong_buckets.get(metric, ())

    def is_perfect(self, metric: str, value: float | None) -> bool:
        """Say whether a value of one metric could not be better."""
        best = 2 if self.metrics.get(metric) else 0
        return metric in self.metrics and value is not None and score_bucket(value) == best


def known_outcome(name: str) -> Outcome:
    """Return an outcome by its name.

    Raises:
        UnknownNameError: no sample ends so.
    """
    for outcome in OUTCOMES:
        if outcome == name:
            return outcome
    raise UnknownNameError(
        f"unknown outcome '{name}'",
        hint=did_you_mean(name, OUTCOMES) or f"there are: {', '.join(OUTCOMES)}",
    )


def find_samples(reader: JournalQueries, criteria: SampleCriteria) -> SampleSelection:
    """Find the samples behind the result that stands; a task without a result counts too.

    Those of a metric are behind its own number: the last run may not have had it.

    Raises:
        UnknownNameError: there is no such key, model, metric or category.
        ConfigError: several models have such samples, and none is named.
    """
    matching, problems = _matching(reader, criteria)
    if len(matching) > 1:
        raise ConfigError(
            f"{len(matching)} models have samples of '{criteria.key}'",
            hint=f"name one with -m: {', '.join(sorted(matching))}",
        )
    if not matching:
        raise problems[0] if problems else _nothing_found(reader, criteria)
    return next(iter(matching.values()))


def _matching(
    reader: JournalQueries, criteria: SampleCriteria
) -> tuple[dict[str, SampleSelection], list[UnknownNameError]]:
    """Find the samples by model, and what is wrong with the criteria for some task."""
    matching: dict[str, SampleSelection] = {}
    problems: list[UnknownNameError] = []
    tasks = reader.tasks_of_key(criteria.key, model=criteria.model)
    newest = {(task.model, task.key): task for task in tasks}
    for task in newest.values():
        try:
            selection = _select(reader, task, criteria)
        except UnknownNameError as err:
            problems.append(err)
            continue
        if selection is not None:
            matching[task.model] = selection
    return matching, problems


def _select(
    reader: JournalQueries, task: StoredTask, criteria: SampleCriteria
) -> SampleSelection | None:
    """Select samples of a task, whose numbers are in a result or not there yet.

    None if the key is of another task.

    Raises:
        UnknownNameError: the task has no such metric or category.
    """
    results = list(reader.results_of_task(task.model, task.key))
    by_metric = current_by_metric(results)
    metric, category = criteria.metric, criteria.category
    names_metric = criteria.key != task.key
    if names_metric:
        named = _split_key(criteria.key, task.key, by_metric or task.metrics)
        if named is None:
            return None
        metric, category = named[0], named[1] or category
    result = by_metric.get(metric or "") or current_result(results)
    metrics = dict.fromkeys(task.metrics, True)
    if result is not None:
        task = reader.task(result.task_fingerprint) or task
        metrics = {m.metric: m.higher_is_better for m in result.metrics if m.category is None}
    if metric is not None and metric not in metrics:
        raise _unknown("metric", metric, metrics)
    if category is not None and category not in (known := reader.index.categories(task.id)):
        if names_metric and criteria.category is None:
            return None
        raise _unknown("category", category, known)
    return SampleSelection(
        task,
        metrics if metric is None else {metric: metrics[metric]},
        one_metric=metric is not None,
        category=category,
        reasoning_tags=tags_in(result.settings) if result is not None else None,
        outcomes=criteria.outcomes,
        failed=criteria.failed,
        wrong=criteria.wrong,
    )


def _split_key(key: str, task: str, metrics: Iterable[str]) -> tuple[str, str | None] | None:
    """Take the metric and the category from a metric's key; None if it is not of this task."""
    for metric in metrics:
        whole = metric_key(task, metric)
        if key == whole:
            return metric, None
        if key.startswith(f"{whole}/"):
            return metric, key.removeprefix(f"{whole}/")
    return None


def _nothing_found(reader: JournalQueries, criteria: SampleCriteria) -> UnknownNameError:
    """Say that nothing is called so, and which name was meant."""
    key, model = criteria.key, criteria.model
    if model is not None:
        others, _ = _matching(reader, replace(criteria, model=None))
        if others:
            return UnknownNameError(
                f"the journal has no samples of '{key}' from '{model}'",
                hint=did_you_mean(model, others) or f"these have: {', '.join(sorted(others))}",
            )
    if members := members_of_key(reader, key, model):
        return UnknownNameError(
            f"'{key}' is of a group, whose samples are those of its tasks",
            hint=f"name one of them: {', '.join(members[:_MOST_NAMED])}"
            + (f" and {len(members) - _MOST_NAMED} more" if len(members) > _MOST_NAMED else ""),
        )
    tasks = reader.tasks()
    known = {task.key for task in tasks}
    known |= {metric_key(task.key, metric) for task in tasks for metric in task.metrics}
    hints = [did_you_mean_key(key, sorted(known)), "`llmeval results` shows what there is"]
    return UnknownNameError(
        f"the journal has no samples of '{key}'", hint=" ".join(hint for hint in hints if hint)
    )


def _unknown(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    listed = list(known)
    hint = did_you_mean(name, listed) or f"there are: {', '.join(listed) or 'none'}"
    return UnknownNameError(f"the task has no {kind} '{name}'", hint=hint)
