"""Scoring: what metrics see of an answer, and what becomes of a metric that fails."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from llmeval_core.config import ExtractConfig, ExtractRule
from llmeval_core.contracts import Metric
from llmeval_core.errors import ConfigError, ModelError
from llmeval_core.plan import PlannedMetric
from llmeval_core.reasoning import Tags
from llmeval_core.records import Failure, Generation, Loglikelihood, Sample, Score, stop_reason
from llmeval_core.scoring import Scorer
from llmeval_core.testing import FakeMetric, make_generation, make_sample
from llmeval_core.testing.running import plan_of


class Seeing(FakeMetric):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, ...]] = []

    def score(self, sample: Sample, generation: Generation) -> Score:
        self.seen.append(generation.texts)
        return Score(1.0)


class Failing(FakeMetric):
    """Raises, or returns what it should not; Any: whatever."""

    def __init__(self, outcome: Any) -> None:
        super().__init__()
        self._outcome = outcome

    def score(self, sample: Sample, generation: Generation) -> Score:
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        found: Score = self._outcome
        return found


def scorer(
    *metrics: Metric, extract: ExtractConfig | None = None, reasoning_tags: Tags | None = None
) -> Scorer:
    task = plan_of().evaluations[0].tasks[0]
    planned = tuple(PlannedMetric(f"m{n}", metric, {}) for n, metric in enumerate(metrics))
    return Scorer(replace(task, metrics=planned, extract=extract, reasoning_tags=reasoning_tags))


@pytest.mark.parametrize(
    ("extract", "texts", "seen"),
    [
        (None, ("Paris",), ("Paris",)),
        (None, ("<think>Rome? No.</think>\n\nParis",), ("Paris",)),
        (None, (" \n<think>\na\nb\n</think>Paris",), ("Paris",)),
        (None, ("Paris <think>no</think>",), ("Paris",)),
        (None, ("<think>never ended",), ("",)),
        (None, ("Maybe London.\n</think>\n\nParis",), ("Paris",)),
        (None, ("<think>x</think>A", "B"), ("A", "B")),
        (r"Answer: (\w+)", ("I think. Answer: Paris.",), ("Paris",)),
        (r"\d+", ("about 42 or 43",), ("42",)),
        (r"Answer: (\w+)", ("no idea",), ("",)),
        (r"(a)|b", ("b",), ("",)),
        (r"x", ("<think>x</think>y",), ("",)),
        (r"(-?[$0-9.,]{2,})|(-?[0-9]+)", ("It is 42", "It is 5"), ("42", "5")),
        (("#### (.*)", ExtractRule(boxed=True)), (r"\boxed{5}",), ("5",)),
    ],
)
async def test_metrics_see_the_answer_without_reasoning_and_only_what_is_extracted(
    extract: ExtractConfig | None, texts: tuple[str, ...], seen: tuple[str, ...]
) -> None:
    metric = Seeing()

    await scorer(metric, extract=extract).score(make_sample(), make_generation(*texts))

    assert metric.seen == [seen]


async def test_metrics_never_see_reasoning_that_the_server_told_apart() -> None:
    class Reading(FakeMetric):
        def score(self, sample: Sample, generation: Generation) -> Score:
            return Score(float(generation.reasonings == () and generation.text == "Paris"))

    generation = Generation(("Paris",), reasonings=("It could be London",))

    assert await scorer(Reading()).score(make_sample(), generation) == {"m0": Score(1.0)}


async def test_the_tags_of_a_task_are_the_only_ones_that_count() -> None:
    metric = Seeing()
    answer = make_generation("<plan>x</plan>Paris", "<think>x</think>Paris")

    await scorer(metric, reasoning_tags=(("<plan>", "</plan>"),)).score(make_sample(), answer)
    await scorer(metric, reasoning_tags=()).score(make_sample(), answer)

    assert metric.seen == [("Paris", "<think>x</think>Paris"), answer.texts]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Generation(("Paris",), stop_reasons=("stop",)), "answered"),
        (Generation(("Paris",)), "answered"),
        (Generation(("Par",), stop_reasons=("length",)), "truncated"),
        (Generation(("",), stop_reasons=("length",), reasonings=("hm",)), "truncated"),
        (Generation(("Par",), finish_reason="max_tokens"), "truncated"),
        (Generation((" \n",), stop_reasons=("stop",)), "empty"),
        (Generation(("",), stop_reasons=("tool_calls",)), "empty"),
        (Generation(("<think>x</think>\n",), stop_reasons=("stop",)), "empty"),
        (Generation(("<think>x",), stop_reasons=("stop",)), "empty"),
        (Generation(("<think>x",)), "truncated"),
        (Generation(()), "empty"),
        (Generation(("",), stop_reasons=("content_filter",)), "filtered"),
        (Generation(("Par",), stop_reasons=("content_filter",)), "filtered"),
        (Generation(("I cannot",), stop_reasons=("refusal",)), "refused"),
        (Generation(("",), stop_reasons=("stop",), refusal="I cannot"), "refused"),
        (Generation(("a", "b", "c"), stop_reasons=("stop", "length", "stop")), "truncated"),
        (Generation(("a", "", "c"), stop_reasons=("stop", "stop", "length")), "empty"),
        (Generation(loglikelihoods=(Loglikelihood(-1.0),), finish_reason="length"), "answered"),
        (Failure("timeout", "late"), "failed"),
    ],
)
def test_a_sample_ends_in_one_of_few_ways(answer: Generation | Failure, outcome: str) -> None:
    failure = answer if isinstance(answer, Failure) else None

    assert scorer(FakeMetric()).outcome(answer, failure) == outcome


def test_an_answer_that_a_metric_cannot_score_is_unscored() -> None:
    cut_off = Generation(("Par",), stop_reasons=("length",))

    assert scorer(FakeMetric()).outcome(cut_off, Failure("metric", "m0: no")) == "unscored"


def test_an_extract_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        scorer(FakeMetric(), extract="(")

    assert str(caught.value) == (
        "extract is not a regular expression: missing ), unterminated subpattern at position 0\n"
        "  where: fake_0shot: extract"
    )


async def test_every_metric_has_its_score_under_its_name() -> None:
    scores = await scorer(FakeMetric(), Failing(Score(None, parts=(1.0, 2.0)))).score(
        make_sample(), make_generation("Paris")
    )

    assert scores == {"m0": Score(1.0, "Paris"), "m1": Score(None, None, (1.0, 2.0))}


async def test_an_async_metric_is_awaited() -> None:
    class Judge(FakeMetric):
        async def score(  # type: ignore[override]  # the contract allows both
            self, sample: Sample, generation: Generation
        ) -> Score:
            await asyncio.sleep(0)
            return Score(0.25)

    scores = await scorer(Judge()).score(make_sample(), make_generation("Paris"))

    assert scores == {"m0": Score(0.25)}


async def test_a_metric_that_cannot_score_has_a_failure_and_the_others_their_scores() -> None:
    outcome = await scorer(FakeMetric(), Failing(ValueError("it has no reference"))).score(
        make_sample(), make_generation("Paris")
    )

    assert outcome == {"m0": Score(1.0, "Paris"), "m1": Failure("metric", "it has no reference")}


@pytest.mark.parametrize(
    "score",
    [
        Score(math.nan),
        Score(math.inf),
        Score(1.0, parts=(math.nan,)),
        Score(None, None, (-math.inf,)),
    ],
)
async def test_a_number_that_is_not_finite_is_a_failure(score: Score) -> None:
    outcome = await scorer(Failing(score)).score(make_sample(), make_generation("Paris"))

    assert outcome == {"m0": Failure("metric", "the score is not a finite number")}


class PanicException(BaseException):
    """No Exception, as pyo3's own."""


class Wordless(Exception):  # noqa: N818
    """An error whose text fails."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (TypeError("unsupported operand"), "TypeError: unsupported operand"),
        (KeyError("a"), "KeyError: 'a'"),
        (0.5, "TypeError: score() gave a float, not a Score"),
        (None, "TypeError: score() gave a NoneType, not a Score"),
        (PanicException(1), "PanicException: 1"),
        (SystemExit(3), "SystemExit: 3"),
        (GeneratorExit(), "GeneratorExit"),
        (asyncio.CancelledError(), "CancelledError"),
        (
            BaseExceptionGroup("two", [PanicException()]),
            "BaseExceptionGroup: two (1 sub-exception)",
        ),
        (Wordless(), "Wordless: (its text fails with RuntimeError)"),
    ],
    ids=lambda given: type(given).__name__,
)
async def test_a_bug_in_a_metric_fails_the_sample_and_names_the_plugin(
    outcome: object, reason: str
) -> None:
    """Case h4-plugin-raises-baseexception: whatever is raised, it is the metric's failure."""
    found = await scorer(Failing(outcome)).score(make_sample(), make_generation("Paris"))

    failure = Failure("metric", f"{reason} (a bug in its plugin; tell its author)")
    assert found == {"m0": failure}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConfigError("the judge has no key"), "the judge has no key"),
        (ModelError("overloaded", "busy", hint="wait"), "busy"),
        (TimeoutError("no answer"), "TimeoutError: no answer"),
        (ConnectionResetError("gone"), "ConnectionResetError: gone"),
        (ValueError(""), "ValueError"),
        (ValueError("x" * 9999), "x" * 2000 + " ..."),
    ],
    ids=["ours", "hint", "timeout", "connection", "no text", "endless text"],
)
async def test_what_a_metric_cannot_help_fails_the_sample_and_is_called_no_bug(
    error: Exception, reason: str
) -> None:
    found = await scorer(Failing(error)).score(make_sample(), make_generation("Paris"))

    assert found == {"m0": Failure("metric", reason)}


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), BaseExceptionGroup("", [KeyboardInterrupt()])]
)
async def test_ctrl_c_in_a_metric_is_the_users(error: BaseException) -> None:
    with pytest.raises(type(error)):
        await scorer(Failing(error)).score(make_sample(), make_generation("Paris"))


async def test_scoring_that_is_cancelled_is_no_failure_of_the_metric() -> None:
    class Slow(FakeMetric):
        async def score(  # type: ignore[override]  # the contract allows both
            self, sample: Sample, generation: Generation
        ) -> Score:
            await asyncio.Event().wait()
            return Score(1.0)

    scoring = asyncio.create_task(scorer(Slow()).score(make_sample(), make_generation("Paris")))
    await asyncio.sleep(0)
    scoring.cancel()

    with pytest.raises(asyncio.CancelledError):
        await scoring


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("content_filter: RECITATION", "content_filter"),
        ("sensitive", "content_filter"),
        ("Content-Filter", "content_filter"),
        ("FINISH_REASON_MAX_TOKENS", "length"),
        ("context_window_exceeded", "length"),
        ("length ", "length"),
        ("", "unknown"),
        (": stop", "unknown"),
        (["length"], "unknown"),
    ],
)
def test_servers_words_for_the_end_of_an_answer_are_known(word: object, expected: str) -> None:
    """s06-cut-off-answers-are-silent: the words of other providers."""
    assert stop_reason(word) == expected
