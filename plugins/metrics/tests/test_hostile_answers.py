"""What models write when they go wrong must neither break a run nor slow it down."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_metrics.answer_format import AnswerFormat, FormatSettings
from llmeval_metrics.choice_accuracy import ChoiceAccuracy, ChoiceSettings
from llmeval_metrics.choice_parsing import find_choice
from llmeval_metrics.correlation import Correlation, CorrelationSettings, pearson
from llmeval_metrics.math_verify_process import MathVerifyProcess
from llmeval_metrics.normalization import aio
from llmeval_metrics.number_parsing import last_number
from llmeval_metrics.numeric_match import NumericSettings, make_numeric_match
from llmeval_metrics.text_match import ExactMatch, MatchSettings

from llmeval_core.hooks import Generation, Loglikelihood, Score
from llmeval_core.testing import make_generation, make_sample


@pytest.mark.parametrize("text", ["9" * 400, "9" * 400 + "/1", "9" * 5000 + "/3", "3/0", "1e999"])
def test_a_number_beyond_floats_is_no_number(text: str) -> None:
    assert last_number(text) is None


def test_json_nested_beyond_reason_is_not_json() -> None:
    metric = AnswerFormat(FormatSettings(format="json"))

    assert metric.judge("[" * 100_000, make_sample()).value == 0.0
    assert metric.judge('{"a": NaN}', make_sample()).value == 0.0


def exact_correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Compute Pearson's r of whole numbers of any size without rounding, but for the last root."""
    wide_x, wide_y = [Fraction(x) for x in xs], [Fraction(y) for y in ys]
    mean_x, mean_y = sum(wide_x) / len(xs), sum(wide_y) / len(ys)
    common = sum((x - mean_x) * (y - mean_y) for x, y in zip(wide_x, wide_y, strict=True))
    spread = sum((x - mean_x) ** 2 for x in wide_x) * sum((y - mean_y) ** 2 for y in wide_y)
    return math.copysign(math.sqrt(common**2 / spread), common)


@pytest.mark.parametrize("n_digits", [100, 200, 300])
def test_an_answer_of_many_digits_gives_the_true_correlation(n_digits: int) -> None:
    metric = Correlation("pearson", CorrelationSettings())
    answers = ["1" * 400, "9" * n_digits, "1", "2"]

    scores = [
        metric.score(make_sample(references=(str(index),)), make_generation(answer))
        for index, answer in enumerate(answers)
    ]

    assert scores[0].parts == (-2.0, 0.0)
    wanted = exact_correlation([-2.0, float("9" * n_digits), 1.0, 2.0], [0.0, 1.0, 2.0, 3.0])
    assert metric.aggregate(scores).value == pytest.approx(wanted)
    ranked = Correlation("spearman", CorrelationSettings()).aggregate(scores)
    assert ranked.value == pytest.approx(0.4)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=8))
def test_any_finite_numbers_have_a_correlation_or_none(pairs: list[tuple[float, float]]) -> None:
    xs, ys = zip(*pairs, strict=True)

    r = pearson(xs, ys)

    assert r is None or -1.0 <= r <= 1.0
    assert r is not None or len(set(xs)) == 1 or len(set(ys)) == 1 or _is_lost(xs) or _is_lost(ys)


def _is_lost(values: Sequence[float]) -> bool:
    """Do the numbers lie too close together for their size to be told apart?"""
    largest = max(map(abs, values))
    return len({value / largest for value in values}) == 1


@pytest.mark.parametrize("answer", ["nan", "inf", "-inf", "1e999", "", "1.2.3", "9" * 400])
def test_what_is_no_number_counts_as_none_in_a_correlation(answer: str) -> None:
    sample = make_sample(references=("1",))

    llm_jp = Correlation("pearson", CorrelationSettings())
    own = Correlation("pearson", CorrelationSettings(unparsed="leave_out"))
    # llm-jp-eval drops the letter of 1e999.
    parts = (1999.0 if answer == "1e999" else -2.0, 1.0)

    assert llm_jp.score(sample, make_generation(answer)).parts == parts
    assert own.score(sample, make_generation(answer)).parts == ()


def test_a_correlation_of_our_own_keeps_the_signs_of_answers() -> None:
    metric = Correlation("pearson", CorrelationSettings(unparsed="leave_out"))

    score = metric.score(make_sample(references=("-1.5",)), make_generation("答えは-1.5です"))

    assert (score.parts, metric.definition) == ((-1.5, -1.5), "pearson@llmeval-parsed-2")


@pytest.mark.parametrize("reference", ["nan", "inf", "-inf", "1e999", "", "none"])
def test_a_reference_that_is_no_finite_number_cannot_be_scored(reference: str) -> None:
    with pytest.raises(ValueError, match=r"^the sample has no reference with a number$"):
        Correlation("pearson", CorrelationSettings()).score(
            make_sample(references=(reference,)), make_generation("1")
        )


@pytest.mark.parametrize("logprob", [math.nan, math.inf, -math.inf])
def test_a_likelihood_that_is_no_number_chooses_nothing(logprob: float) -> None:
    sample = make_sample(choices=("a", "b"), answer=0)
    scored_choices = Generation(loglikelihoods=(Loglikelihood(-1.0), Loglikelihood(logprob)))

    with pytest.raises(ValueError, match=r"^the log-likelihood of choice B is not finite$"):
        ChoiceAccuracy(ChoiceSettings()).score(sample, scored_choices)


# Quadratic time would take minutes here.
@pytest.mark.parametrize(
    "unit", ["*", "1", "1 ", " ", "\n", "1,111", "answer ", "\\frac", "^{", "(", "1/", "####", "-"]
)
def test_endless_repetition_is_judged_in_linear_time(unit: str) -> None:
    text = "A" + unit * (200_000 // len(unit)) + "x"

    last_number(text)
    find_choice(text, ("red", "green"))
    aio(text)


def test_a_text_metric_refuses_a_generation_without_text() -> None:
    scored_choices = Generation(loglikelihoods=(Loglikelihood(-1.0),))

    with pytest.raises(ValueError, match=r"^there is no text to judge; the model only scored the"):
        ExactMatch(MatchSettings()).score(make_sample(), scored_choices)


def test_an_answer_that_takes_too_long_is_wrong_and_the_next_is_judged() -> None:
    process = MathVerifyProcess(timeout_s=2.0)
    try:
        slow = process.verify(["1"], "$999999999!$")
        quick = process.verify([r"$\frac{1}{2}$"], "0.5")
    finally:
        process.close()

    assert (slow.right, slow.parsed) == (False, None)
    assert quick.right


async def test_the_process_comes_back_after_aggregation() -> None:
    metric = make_numeric_match(NumericSettings(engine="math_verify"))
    sample = make_sample(references=(json.dumps("1"), r"$\frac{1}{2}$"))

    for _ in range(2):
        given = metric.score(sample, make_generation("0.5", "0.25"))
        assert not isinstance(given, Score)
        score = await given
        assert score.value == 0.5
        assert metric.aggregate(iter([score])).value == 0.5
