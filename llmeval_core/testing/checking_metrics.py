"""Does a metric keep its promises?"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable

from llmeval_core.contracts import AskingMetric, Metric
from llmeval_core.records import Aggregate, Generation, Message, Sample, Score
from llmeval_core.scoring import is_asking
from llmeval_core.testing.recording_ask import Answering, RecordingAsk, trial_answer


async def check_metric(
    metric: Metric | AskingMetric,
    cases: Iterable[tuple[Sample, Generation]],
    *,
    in_order: bool = False,
    varies: bool = False,
    answer: Answering = trial_answer,
) -> list[Score]:
    """Check a metric on cases that it can score; return the scores, to be compared further.

    Args:
        metric: the metric.
        cases: samples and answers, at least one.
        in_order: whether the order of samples may change the aggregate's value.
        varies: whether the same answer may get another score the second time, as from a judge
            that samples; both scores must be well-formed. What is made of given scores may not
            vary.
        answer: answers what a metric asks, such as a judge; equal questions equally.

    Raises:
        AssertionError: it breaks a promise of `contracts.Metric`; the message says which.
    """
    assert isinstance(metric.definition, str), "the definition id is no text"
    assert metric.definition.strip(), "the definition id is empty"
    assert isinstance(metric.higher_is_better, bool), "higher_is_better is no bool"
    scores: list[Score] = []
    for sample, generation in cases:
        score = await score_of(metric, sample, generation, answer)
        again = await score_of(metric, sample, generation, answer)
        for each in (score, again):
            _check_score(each, f"sample '{sample.id}'")
        assert varies or score == again, f"sample '{sample.id}' gets another score the second time"
        scores.append(score)
    assert scores, "there is no case"
    _check_nothing(metric.aggregate(iter(())))
    aggregate = metric.aggregate(iter(scores))
    _check_aggregate(aggregate, scores)
    assert metric.aggregate(iter(scores)) == aggregate, "the aggregate changes the second time"
    if not in_order:
        backwards = metric.aggregate(iter(scores[::-1])).value
        assert _are_close(backwards, aggregate.value), (
            f"the order of samples changes the aggregate: {aggregate.value}, backwards {backwards}"
        )
    return scores


async def score_of(
    metric: Metric | AskingMetric,
    sample: Sample,
    generation: Generation,
    answer: Answering = trial_answer,
) -> Score:
    """Let a metric score; what it asks is answered by this function."""
    score_one: Callable[..., object] = metric.score  # two or three arguments
    asks = (_ask_about(metric, sample, answer),) if is_asking(metric) else ()
    given = score_one(sample, generation, *asks)
    score = await given if inspect.isawaitable(given) else given
    assert isinstance(score, Score), f"score() gave a {type(score).__name__}, not a Score"
    return score


def _ask_about(metric: Metric | AskingMetric, sample: Sample, answer: Answering) -> RecordingAsk:
    asked = sample.input
    conversation = (Message("user", asked),) if isinstance(asked, str) else asked
    return RecordingAsk(getattr(metric, "roles", {}), answer, conversation=conversation)


def _check_score(score: Score, where: str) -> None:
    numbers = score.parts if score.value is None else (score.value, *score.parts)
    assert all(math.isfinite(number) for number in numbers), f"the score of {where} is not finite"
    assert score.parsed is None or isinstance(score.parsed, str), f"{where}: `parsed` is no text"


def _check_nothing(nothing: Aggregate) -> None:
    assert nothing.value is None, "the aggregate of no score has a value; it should be None"
    assert nothing.stderr is None, "the aggregate of no score has a standard error"
    assert nothing.n_scored == 0, "the aggregate of no score counts some"


def _check_aggregate(aggregate: Aggregate, scores: list[Score]) -> None:
    n_most = len(scores)
    assert aggregate.n_scored <= n_most, f"n_scored is {aggregate.n_scored} of {n_most} scores"
    assert aggregate.n_failed == 0, "n_failed is the engine's to fill in"
    if not any(score.parts for score in scores):
        n_values = sum(score.value is not None for score in scores)
        assert aggregate.n_scored == n_values, (
            f"n_scored is {aggregate.n_scored}, {n_values} scores have a value"
        )
    if aggregate.value is None:
        assert aggregate.stderr is None, "a standard error without a value"
    else:
        assert math.isfinite(aggregate.value), "the aggregate is not finite"
        assert aggregate.n_scored > 0, "a value that no score went into"
    if aggregate.stderr is not None:
        assert math.isfinite(aggregate.stderr), "the standard error is not finite"
        assert aggregate.stderr >= 0, "the standard error is negative"
        assert aggregate.stderr_method, "a standard error without the method it was found by"


def _are_close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
