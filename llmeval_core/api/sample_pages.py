"""Samples of a task a page at a time: as quick at the millionth as at the first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from llmeval_core.api.sample_selection import SampleSelection
from llmeval_core.errors import UnknownNameError
from llmeval_core.journal import BoundedCount, IndexQuery, JournalQueries, SampleFilter
from llmeval_core.naming import did_you_mean
from llmeval_core.reasoning import tags_in
from llmeval_core.records import OUTCOMES, Outcome, SampleResult


@dataclass(frozen=True, slots=True)
class SamplePage:
    """Some samples in order.

    Args:
        samples: the samples; may be fewer than asked for, or none, though there are more.
        next: the place where the next page starts; None if this is the last.
        previous: the place from which the page before goes backwards; None if this is the first.
    """

    samples: tuple[SampleResult, ...]
    next: int | None
    previous: int | None


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """How many samples there are, of which failed and of which are wrong.

    Args:
        outcomes: how many ended how, without those that were answered; empty if all were.
    """

    all: BoundedCount
    failed: BoundedCount
    wrong: BoundedCount
    outcomes: dict[Outcome, BoundedCount] = field(default_factory=dict)

    def of(self, ending: SampleFilter) -> BoundedCount:
        """Return one of them."""
        return {"all": self.all, "failed": self.failed, "wrong": self.wrong}[ending]


def find_task(
    reader: JournalQueries,
    model: str,
    task: str,
    *,
    metric: str | None = None,
    category: str | None = None,
    outcome: Outcome | None = None,
) -> SampleSelection:
    """Find the samples behind the newest result of a model at a task; one without counts too.

    Those of a metric are behind its own newest number: the last run may not have had it.

    Args:
        reader: of the journal.
        model: `provider/model`.
        task: the task's key.
        metric: ask about this metric's scores only; about all if None.
        category: only samples of this category.
        outcome: only samples that ended so.

    Raises:
        UnknownNameError: there is no such task, metric or category.
    """
    by_metric = reader.standing_by_metric(model, task) if metric is not None else {}
    result = by_metric.get(metric or "") or reader.standing_result(model, task)
    if result is not None:
        stored = reader.task(result.task_fingerprint)
        metrics = {m.metric: m.higher_is_better for m in result.metrics if m.category is None}
    else:
        same = [one for one in reader.tasks() if (one.model, one.key) == (model, task)]
        stored = same[-1] if same else None
        metrics = dict.fromkeys(stored.metrics, True) if stored else {}
    if stored is None:
        raise UnknownNameError(f"the journal has no samples of '{task}' from '{model}'")
    if metric is not None and metric not in metrics:
        raise _unknown("metric", metric, metrics)
    if category is not None:
        categories = reader.finder.categories(stored.id)
        if category not in categories:
            raise _unknown("category", category, categories)
    asked_about = metrics if metric is None else {metric: metrics[metric]}
    return SampleSelection(
        stored,
        asked_about,
        one_metric=metric is not None,
        category=category,
        reasoning_tags=tags_in(result.settings) if result is not None else None,
        outcome=outcome,
    )


def sample_page(
    reader: JournalQueries,
    found: SampleSelection,
    ending: SampleFilter = "all",
    *,
    start: int = 0,
    limit: int = 50,
    backwards: bool = False,
) -> SamplePage:
    """Read the samples that fit, from a place in the task on.

    Args:
        reader: of the journal.
        found: whose samples; see `find_task` and `find_samples`.
        ending: all, those that failed, or those with a bad score.
        start: the first place to look at; a sample's index, or `next` of the page before.
        limit: most samples on the page.
        backwards: the page that ends at `start` (or `previous` of the page after), in order.
    """
    stretch = reader.finder.stretch(
        _query(found, ending), start=start, limit=limit, backwards=backwards
    )
    samples = tuple(reader.samples_at(found.task.id, stretch.indices))
    before, after = start - 1, None if stretch.reached is None else stretch.reached + 1
    if backwards:
        before, after = -1 if stretch.reached is None else stretch.reached - 1, start + 1
    return SamplePage(samples, after, before if before >= 0 else None)


def samples_by_id(
    reader: JournalQueries, found: SampleSelection, sample_id: str, *, limit: int = 50
) -> tuple[SampleResult, ...]:
    """Read the samples whose id is or begins with a text, in the order of their ids."""
    indices = reader.finder.with_id(found.task.id, sample_id, limit=limit)
    return tuple(reader.samples_at(found.task.id, indices))


def sample_at(reader: JournalQueries, found: SampleSelection, index: int) -> SampleResult | None:
    """Read the sample at one place; None if it is not there, or not yet."""
    return next(reader.samples_at(found.task.id, (index,)), None)


def count_samples(reader: JournalQueries, found: SampleSelection) -> SampleCounts:
    """Count samples, of the category if there is one; large numbers only if a result knows them."""
    endings: tuple[SampleFilter, ...] = ("all", "failed", "wrong")
    every, failed, wrong = (reader.finder.count(_query(found, ending)) for ending in endings)
    counts = SampleCounts(every, failed, wrong)
    result = reader.result_of(found.task.model, found.task.key, found.task.fingerprint)
    if result is None or found.category is not None:
        return replace(counts, outcomes=_count_outcomes(reader, found))
    known: dict[Outcome, BoundedCount] = {
        outcome: BoundedCount(number)
        for outcome, number in result.outcomes.items()
        if outcome != "answered"
    }
    if found.outcome is not None:
        return replace(counts, outcomes=known)
    return replace(
        counts,
        all=BoundedCount(result.n_samples),
        failed=BoundedCount(result.n_failed),
        outcomes=known,
    )


def _count_outcomes(reader: JournalQueries, found: SampleSelection) -> dict[Outcome, BoundedCount]:
    counted: dict[Outcome, BoundedCount] = {}
    for outcome in OUTCOMES[1:]:
        count = reader.finder.count(_query(replace(found, outcome=outcome), "all"))
        if count.n:
            counted[outcome] = count
    return counted


def _query(found: SampleSelection, ending: SampleFilter) -> IndexQuery:
    places = {name: place for place, name in enumerate(found.task.metrics)}
    wrong = {
        places[metric]: "".join(map(str, grades))
        for metric, grades in found.wrong_buckets.items()
        if metric in places
    }
    return IndexQuery(found.task.id, ending, wrong, found.category, found.outcome)


def _unknown(kind: str, name: str, known: dict[str, bool] | list[str]) -> UnknownNameError:
    hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
    return UnknownNameError(f"the task has no {kind} '{name}'", hint=hint)
