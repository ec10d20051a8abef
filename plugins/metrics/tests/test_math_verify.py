"""numeric_match with math-verify: bare LaTeX, and references that are no formula.

Case p4-math-verify-bare-latex.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from llmeval_metrics.math_verify_process import MathVerifyProcess
from llmeval_metrics.math_verify_text import with_delimiters
from llmeval_metrics.numeric_match import NumericSettings, make_numeric_match

from llmeval_core.hooks import Metric, Score
from llmeval_core.testing import make_generation, make_sample


@pytest.fixture(scope="module")
def metric() -> Iterator[Metric]:
    """Give one metric to all, because its process takes a second to start."""
    made = make_numeric_match(NumericSettings(engine="math_verify"))
    yield made
    made.aggregate(iter(()))  # lets the process go


async def scored(metric: Metric, answer: str, *references: str) -> Score:
    given = metric.score(make_sample(references=references), make_generation(answer))
    assert not isinstance(given, Score)
    return await given


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        (r"\boxed{x^2+1}", "x^2+1"),
        (r"$\sqrt{2}$", r"\sqrt{2}"),
        (r"$\boxed{(1,2)}$", "(1,2)"),
        (r"$2\pi$", r"2\pi"),
        (r"$\boxed{\text{Evelyn}}$", r"\text{Evelyn}"),
    ],
)
async def test_a_bare_reference_is_understood_p4_math_verify_bare_latex(
    metric: Metric, answer: str, reference: str
) -> None:
    assert (await scored(metric, answer, reference)).value == 1.0


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        (r"\frac{1}{2}", "0.5", 1.0),
        (r"2\pi", r"2\pi", 1.0),
        ("1+x^2", "x^2+1", 1.0),
        ("Evelyn", r"\text{Evelyn}", 1.0),
        (r"\boxed{Evelyn}", "Evelyn", 1.0),
        (r"$12\frac{1}{2}$", r"12\frac{1}{2}", 1.0),
        (r"\{2, 1\}", r"\{1,2\}", 1.0),
        (r"$2\,000$", "2000", 1.0),
        ("The answer is 9,500.", r"9{,}500", 1.0),
        ("It is 18", "5*2=10\n#### 18", 1.0),
        ("10 cm", r"10\text{ cm}", 1.0),
        ("$x=5$", "5", 1.0),
        (r"\boxed{2}", r"2\pi", 0.0),
        (r"\boxed{x^2}", "x^2+1", 0.0),
        ("Alice", r"\text{Evelyn}", 0.0),
        ("I do not know", r"\frac{1}{2}", 0.0),
        ("", r"\frac{1}{2}", 0.0),
    ],
)
async def test_formulas_are_compared_whether_they_stand_bare_or_not(
    metric: Metric, answer: str, reference: str, right: float
) -> None:
    assert (await scored(metric, answer, reference)).value == right


@pytest.mark.parametrize("reference", [r"\frac{", "???", "東京", ""])
@pytest.mark.parametrize("answer", [r"\boxed{5}", "東京", ""])
async def test_a_reference_that_is_no_formula_is_named_and_not_scored_p4(
    metric: Metric, answer: str, reference: str
) -> None:
    with pytest.raises(ValueError, match=r"^math-verify cannot parse the reference '") as refusal:
        await scored(metric, answer, reference)

    assert repr(reference) in str(refusal.value)


async def test_one_reference_that_is_a_formula_is_enough(metric: Metric) -> None:
    assert (await scored(metric, "$5$", "???", "5")).value == 1.0


@pytest.mark.parametrize(
    ("text", "wrapped"),
    [
        ("x^2+1", "$x^2+1$"),
        ("xy", "$xy$"),
        (r"\sin x", r"$\sin x$"),
        ("sin(x)", "$sin(x)$"),
        ("Evelyn", r"$\text{Evelyn}$"),
        ("no solution", r"$\text{no solution}$"),
        ("$x$", "$x$"),
        (r"so \(x\)", r"so \(x\)"),
        (r"\boxed{3}", r"\boxed{3}"),
        (r"\$5", r"$\$5$"),
        ("3 apples", "3 apples"),
        ("The answer is 5.", "The answer is 5."),
        ("x\ny", "x\ny"),
        ("a\n#### 5", "$5$"),
        ("", ""),
    ],
)
def test_only_what_is_a_formula_and_nothing_else_is_put_between_dollars(
    text: str, wrapped: str
) -> None:
    assert with_delimiters(text) == wrapped


def test_a_reference_that_is_no_formula_makes_no_slow_answer_wrong() -> None:
    process = MathVerifyProcess(timeout_s=2.0)
    try:
        slow = process.verify([r"\frac{"], "$999999999!$")
    finally:
        process.close()

    assert slow.right is None
