"""Finding samples in the journal by a task key or a metric key."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from llmeval_core.errors import ConfigError, UnknownNameError
from llmeval_core.journal import JournalQueries, StoredTask, score_bucket
from llmeval_core.naming import did_you_mean, metric_key
from llmeval_core.reasoning import Tags, tags_in
from llmeval_core.records import Outcome, SampleResult, TaskResult


@dataclass(frozen=True, slots=True)
class SampleSelection:
    """What a key stands for.

    Args:
        task: of which task.
        metrics: the metrics that are asked about, with whether higher is better.
        one_metric: whether the key names a metric, not a task.
        category: only samples of this category; None for all.
        reasoning_tags: how reasoning was told apart; see `llmeval_core.reasoning`.
        outcome: only samples that ended so; None for all.
    """

    task: StoredTask
    metrics: dict[str, bool]
    one_metric: bool
    category: str | None
    reasoning_tags: Tags | None = None
    outcome: Outcome | None = None

    @property
    def wrong_buckets(self) -> dict[str, tuple[int, ...]]:
        """The grades of a score (see `llmeval_core.journal.score_bucket`) that are bad, by metric.

        For the key of one metric: it is not perfect (below 1, or above 0 where lower is better).
        For a task: any metric says 0 (or 1 and more where lower is better).
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

    def is_wrong(self, result: SampleResult) -> bool:
        """Say whether a sample has a bad score."""
        return any(self.is_bad(metric, score.value) for metric, score in result.scores.items())


def find_samples(reader: JournalQueries, key: str, model: str | None) -> SampleSelection:
    """Find the samples behind the newest result of a key; a task without one counts too.

    Raises:
        UnknownNameError: nothing in the journal is called so.
        ConfigError: several models have it, and none is named.
    """
    newest = {(task.model, task.key): task for task in reader.tasks()}
    known: set[str] = set()
    matching: dict[str, SampleSelection] = {}
    for task in newest.values():
        by_metric = reader.standing_by_metric(task.model, task.key)
        names = by_metric or dict.fromkeys(task.metrics)
        named = {metric_key(task.key, name): name for name in names}
        known |= {task.key, *named}
        name = next((named[one] for one in named if f"{key}/".startswith(f"{one}/")), None)
        result = by_metric.get(name or "")
        if name is None:
            result = reader.standing_result(task.model, task.key)
        found = _match(reader, key, task, result)
        if found is not None:
            matching[task.model] = found
    return _one_of(matching, key, model, known)


def _match(
    reader: JournalQueries, key: str, task: StoredTask, result: TaskResult | None
) -> SampleSelection | None:
    """Take a key as one of a task, whose numbers are in a result or not there yet."""
    tags = None
    metrics = dict.fromkeys(task.metrics, True)
    if result is not None:
        task = reader.task(result.task_fingerprint) or task
        tags = tags_in(result.settings)
        metrics = {m.metric: m.higher_is_better for m in result.metrics if m.category is None}
    if key == task.key:
        return SampleSelection(task, metrics, one_metric=False, category=None, reasoning_tags=tags)
    for metric, higher_is_better in metrics.items():
        whole = metric_key(task.key, metric)
        category = key.removeprefix(f"{whole}/") if key.startswith(f"{whole}/") else None
        if key == whole or (category is not None and category in reader.categories(task.id)):
            asked_about = {metric: higher_is_better}
            return SampleSelection(
                task, asked_about, one_metric=True, category=category, reasoning_tags=tags
            )
    return None


def _one_of(
    matching: dict[str, SampleSelection], key: str, model: str | None, known: set[str]
) -> SampleSelection:
    if not matching:
        hints = [did_you_mean(key, known), "`llmeval results` shows what there is"]
        raise UnknownNameError(
            f"the journal has no samples of '{key}'", hint=" ".join(hint for hint in hints if hint)
        )
    if model is not None:
        if model not in matching:
            meant = did_you_mean(model, matching) or f"these have: {', '.join(sorted(matching))}"
            raise UnknownNameError(
                f"the journal has no samples of '{key}' from '{model}'", hint=meant
            )
        return matching[model]
    if len(matching) > 1:
        raise ConfigError(
            f"{len(matching)} models have samples of '{key}'",
            hint=f"name one with -m: {', '.join(sorted(matching))}",
        )
    return next(iter(matching.values()))


def choose(
    reader: JournalQueries,
    found: SampleSelection,
    *,
    failed: bool,
    wrong: bool,
    outcomes: Collection[Outcome] = (),
) -> Iterator[SampleResult]:
    """Stream the samples in order: all, the failed ones, the wrong ones, or both of these.

    Args:
        reader: of the journal.
        found: whose samples.
        failed, wrong: which of them.
        outcomes: of these only those that ended so; empty for all.
    """
    only_failed = failed and not wrong
    found_ones = reader.sample_results(
        found.task.id, only_failed=only_failed, outcomes=frozenset(outcomes)
    )
    for result in found_ones:
        if found.category is not None and result.sample.category != found.category:
            continue
        unfiltered = not (failed or wrong)
        if unfiltered or (failed and result.failure) or (wrong and found.is_wrong(result)):
            yield result
