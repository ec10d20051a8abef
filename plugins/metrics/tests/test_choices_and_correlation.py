"""Choices by likelihood and by letter; correlations of parsed numbers."""

from __future__ import annotations

from typing import Literal

import pytest
from llmeval_metrics.choice_accuracy import ChoiceAccuracy, ChoiceSettings
from llmeval_metrics.choice_parsing import find_choice
from llmeval_metrics.correlation import Correlation, CorrelationSettings, pearson, ranks

from llmeval_core.hooks import Generation, Loglikelihood, Sample, Score
from llmeval_core.testing import check_metric, make_generation, make_sample

COLOURS = ("red", "light blue", "green")
SKY = Sample("s", "Sky?", ("light blue",), choices=COLOURS, answer=1)


def scored_choices(*logprobs: float, n_tokens: tuple[int, ...] = (1, 2, 1)) -> Generation:
    pairs = zip(logprobs, n_tokens, strict=True)
    return Generation(loglikelihoods=tuple(Loglikelihood(value, n) for value, n in pairs))


@pytest.mark.parametrize(
    ("normalize", "definition", "expected"),
    [
        ("none", "acc@lm-eval", 0.0),
        ("chars", "acc_norm@lm-eval", 1.0),
        ("bytes", "acc_bytes@lm-eval", 1.0),
        ("tokens", "acc_tokens@llmeval", 1.0),
    ],
)
async def test_long_choices_need_normalising(
    normalize: Literal["none", "chars", "bytes", "tokens"], definition: str, expected: float
) -> None:
    metric = ChoiceAccuracy(ChoiceSettings(normalize=normalize))

    (score,) = await check_metric(metric, [(SKY, scored_choices(-2.0, -3.0, -4.0))])

    assert metric.definition == definition
    assert score.value == expected


async def test_the_first_of_equally_likely_choices_is_taken() -> None:
    metric = ChoiceAccuracy(ChoiceSettings())

    (score,) = await check_metric(metric, [(SKY, scored_choices(-3.0, -1.0, -1.0))])

    assert (score.value, score.parsed) == (1.0, "B")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("B", 1),
        (" (C) ", 2),
        ("Ｂ", 1),
        ("B. light blue", 1),
        ("The answer is B.", 1),
        ("答えはCです", 2),
        ("正解：B", 1),
        ("I would say green", 2),
        ("A green one, I think", 2),
        ("red or green", None),
        ("Z", None),
        ("", None),
        ("USA", None),
        ("b", 1),
        ("**Answer:** B", 1),
        (r"so \boxed{\text{C}}", 2),
        ("A or B? I think the answer is C", 2),
        ("The answer is a green one", 2),
        ("the answer is b", 1),
        ("I pick (C) over the rest", 2),
        ("答えは「C」", 2),
        ("答えは2です", 1),
        ("3", 2),
        ("4", None),
        ("Answer: 12", None),
    ],
)
def test_the_choice_is_found_in_what_the_model_wrote(answer: str, found: int | None) -> None:
    assert find_choice(answer, COLOURS) == found


@pytest.mark.parametrize(
    ("answer", "choices", "found"),
    [
        ("hot dog", ("dog", "hot dog"), 1),
        ("a hot dog for me", ("dog", "hot dog"), 1),
        ("category", ("cat", "cow"), None),
        ("東京です", ("東京", "大阪"), 0),
        ("4", ("3", "4", "5"), 1),
        ("Answer: 4", ("3", "4", "5"), 1),
        ("x", ("", "y"), None),
        ("same", ("same", "same"), None),
    ],
)
def test_a_choice_is_found_by_its_text(
    answer: str, choices: tuple[str, ...], found: int | None
) -> None:
    assert find_choice(answer, choices) == found


async def test_an_answer_without_a_choice_is_wrong() -> None:
    metric = ChoiceAccuracy(ChoiceSettings())

    (score,) = await check_metric(metric, [(SKY, make_generation("I do not know"))])

    assert (score.value, score.parsed) == (0.0, None)


def test_a_sample_without_choices_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="the sample has no choices, or no right one"):
        ChoiceAccuracy(ChoiceSettings()).score(make_sample(), make_generation("A"))


def test_likelihoods_that_do_not_fit_are_refused() -> None:
    by_tokens = ChoiceAccuracy(ChoiceSettings(normalize="tokens"))
    unknown = Generation(loglikelihoods=(Loglikelihood(-1.0),) * 3)

    with pytest.raises(ValueError, match=r"^3 choices, but 2 log-likelihoods$"):
        by_tokens.score(SKY, scored_choices(-1.0, -2.0, n_tokens=(1, 1)))
    with pytest.raises(ValueError, match=r"^the model does not tell how many tokens a choice has$"):
        by_tokens.score(SKY, unknown)


async def test_several_letters_count_by_their_mean() -> None:
    metric = ChoiceAccuracy(ChoiceSettings())

    (score,) = await check_metric(metric, [(SKY, make_generation("B", "A", "B", "none"))])

    assert (score.value, score.parsed) == (0.5, "B")


# scipy.stats 1.17.1 pearsonr and spearmanr of ([1, 2, 3, 4, 5, -2], [1, 3, 2, 5, 5, 0])
@pytest.mark.parametrize(
    ("kind", "expected"), [("pearson", 0.9097816785925636), ("spearman", 0.9276336570439175)]
)
async def test_correlations_equal_scipy(
    kind: Literal["pearson", "spearman"], expected: float
) -> None:
    metric = Correlation(kind, CorrelationSettings())
    answers = ["1", "２", "about 3", "4点", "5", "no number"]
    references = ["1", "3", "2", "5", "5", "0"]
    cases = [
        (make_sample(references=(reference,)), make_generation(answer))
        for answer, reference in zip(answers, references, strict=True)
    ]

    scores = await check_metric(metric, cases)

    aggregate = metric.aggregate(scores)
    assert aggregate.value == pytest.approx(expected)
    assert aggregate.n_scored == 6


async def test_answers_without_a_number_can_be_left_out() -> None:
    metric = Correlation("pearson", CorrelationSettings(unparsed="leave_out"))
    case = (make_sample(references=("1",)), make_generation("none"))

    (score,) = await check_metric(metric, [case])

    assert score.parts == ()


def test_a_reference_keeps_its_sign_and_an_answer_does_not() -> None:
    metric = Correlation("pearson", CorrelationSettings())

    score = metric.score(make_sample(references=("-1.5",)), make_generation("-1.5"))

    assert score.parts == (1.5, -1.5)


@pytest.mark.parametrize(("unparsed", "expected"), [("minus_two", 0.0), ("leave_out", None)])
def test_an_undefined_correlation_is_zero_only_for_llm_jp_eval(
    unparsed: Literal["minus_two", "leave_out"], expected: float | None
) -> None:
    metric = Correlation("pearson", CorrelationSettings(unparsed=unparsed))

    aggregate = metric.aggregate(Score(None, None, (3.0, float(y))) for y in range(5))

    assert (aggregate.value, aggregate.stderr, aggregate.n_scored) == (expected, None, 5)


# scipy.stats 1.17.1 pearsonr(...).confidence_interval(0.6827) reaches 0.02613 below and 0.01819
# above: Fisher's interval is not symmetric, and this is its linear part.
def test_the_standard_error_is_that_of_fishers_z() -> None:
    metric = Correlation("pearson", CorrelationSettings())
    pairs = [(float(x), float(x + (x * 7) % 11)) for x in range(30)]

    aggregate = metric.aggregate(Score(None, None, pair) for pair in pairs)

    assert aggregate.value == pytest.approx(0.9418943604831733)
    assert aggregate.stderr == pytest.approx((0.02613 + 0.01819) / 2, rel=0.03)
    assert aggregate.stderr_method is not None
    assert "Fisher" in aggregate.stderr_method


def test_equal_numbers_have_no_correlation_and_ties_share_their_rank() -> None:
    assert pearson([1.0, 1.0], [1.0, 2.0]) is None
    assert list(ranks([3.0, 1.0, 3.0])) == [2.5, 1.0, 2.5]
