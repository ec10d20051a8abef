"""What exact_match can be told to ignore; several answers that vote; invisible characters."""

from __future__ import annotations

from typing import Any

import pytest
from llmeval_metrics.answer_format import AnswerFormat, FormatSettings
from llmeval_metrics.numeric_match import NumericSettings, make_numeric_match
from llmeval_metrics.text_match import Contains, ContainsSettings, ExactMatch, MatchSettings

from llmeval_core.hooks import ConfigError, Score
from llmeval_core.testing import make_generation, make_sample


def value_of(settings: dict[str, Any], answer: str, *references: str) -> float | None:
    """Score one answer; Any: settings as a run file has them."""
    metric = ExactMatch(MatchSettings.model_validate(settings))
    return metric.score(make_sample(references=references), make_generation(answer)).value


GSM8K = {
    "regexes_to_ignore": [",", r"\$", "(?s).*#### ", r"\.$"],
    "ignore_case": True,
    "ignore_punctuation": False,
}


# lm-evaluation-harness 0.4.13 `exact_match_hf_evaluate`: patterns, lower case, punctuation, digits,
# in this order, of both sides.
@pytest.mark.parametrize(
    ("settings", "answer", "reference", "expected"),
    [
        ({}, "Paris", "Paris", 1.0),
        ({}, "paris", "Paris", 0.0),
        ({}, "Paris ", "Paris", 0.0),
        ({"ignore_case": True}, "PARIS", "paris", 1.0),
        ({"ignore_case": True}, "ÉCOLE", "école", 1.0),
        ({"ignore_case": True}, "STRASSE", "straße", 0.0),
        ({"ignore_punctuation": True}, "It's Paris.", "Its Paris", 1.0),
        ({"ignore_punctuation": True}, "パリ。", "パリ", 0.0),
        ({"ignore_punctuation": True}, "a-b", "a b", 0.0),
        ({"ignore_numbers": True}, "a1b2", "ab", 1.0),
        ({"ignore_numbers": True}, "a１", "a", 0.0),
        ({"regexes_to_ignore": ["the "]}, "the cat", "cat", 1.0),
        ({"regexes_to_ignore": ["the "]}, "The cat", "cat", 0.0),
        ({"regexes_to_ignore": ["the "], "ignore_case": True}, "The cat", "cat", 0.0),
        ({"regexes_to_ignore": ["a", "b"]}, "abc", "c", 1.0),
        ({"regexes_to_ignore": ["ab", "c"]}, "acb", "ab", 0.0),
        (GSM8K, "$1,234.", "5 * 2\n#### 1234", 1.0),
        (GSM8K, "1234.5", "#### 1234", 0.0),
        ({"ignore_punctuation": True, "regexes_to_ignore": [r"\.$"]}, "a..", "a", 1.0),
    ],
)
def test_what_is_ignored_is_ignored_as_in_lm_eval(
    settings: dict[str, Any], answer: str, reference: str, expected: float
) -> None:
    assert value_of({"normalize": "none", **settings}, answer, reference) == expected


def test_any_reference_may_match_after_what_is_ignored() -> None:
    assert value_of({"ignore_case": True}, "ROMA", "rome", "roma") == 1.0


def definition(**settings: Any) -> str:
    return ExactMatch(MatchSettings.model_validate(settings)).definition


def test_the_definition_names_what_is_ignored() -> None:
    assert definition() == "exact_match@nfkc-2"
    assert definition(normalize="none") == "exact_match@none"
    assert definition(normalize="none", ignore_case=True, ignore_punctuation=True) == (
        "exact_match@lm-eval-ignore_case-ignore_punctuation"
    )
    assert definition(ignore_numbers=True, majority=True) == (
        "exact_match@nfkc-2-ignore_numbers-majority"
    )
    one, other = (definition(regexes_to_ignore=[pattern]) for pattern in "ab")
    assert one.startswith("exact_match@nfkc-2-regexes-")
    assert one != other
    assert definition(regexes_to_ignore="a") == one


def test_contains_ignores_the_same() -> None:
    metric = Contains(ContainsSettings(ignore_case=True))

    score = metric.score(make_sample(references=("paris",)), make_generation("It is PARIS."))

    assert (score.value, metric.definition) == (1.0, "contains@nfkc-2-ignore_case")


def test_a_pattern_to_ignore_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^the pattern is not a regular expression: "):
        ExactMatch(MatchSettings(regexes_to_ignore=("(",)))


# --- invisible characters

INVISIBLE = [
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u200e",
    "\u202e",
    "\u2066",
    "\ufe0f",
]


@pytest.mark.parametrize("mark", INVISIBLE)
def test_what_nobody_sees_takes_part_in_no_comparison(mark: str) -> None:
    for normalize in ("strip", "nfkc", "aio", "squad"):
        assert value_of({"normalize": normalize}, f"{mark}Pa{mark}ris{mark}", "Paris") == 1.0
        assert value_of({"normalize": normalize}, "Paris", f"Paris{mark}") == 1.0
    assert value_of({"normalize": "none"}, f"Paris{mark}", "Paris") == 0.0
    letter = AnswerFormat(FormatSettings(format="letter"))
    assert letter.judge(f"A{mark}", make_sample()).value == 1.0


# --- several answers


@pytest.mark.parametrize(
    ("answers", "value", "parsed"),
    [
        (("Paris", " Ｐａｒｉｓ", "Rome"), 1.0, None),
        (("Rome", "Paris", "Paris"), 1.0, None),
        (("Rome", "Paris"), 0.0, None),
        (("", "", "Paris"), 1.0, None),
        (("", ""), 0.0, None),
    ],
)
def test_the_most_frequent_text_is_judged(
    answers: tuple[str, ...], value: float, parsed: str | None
) -> None:
    metric = ExactMatch(MatchSettings(majority=True))

    score = metric.score(make_sample(references=("Paris",)), make_generation(*answers))

    assert (score.value, score.parsed) == (value, parsed)


@pytest.mark.parametrize(
    ("answers", "value", "parsed"),
    [
        (("It is 4", "5 or 5.0", "so 5"), 1.0, "5"),
        (("5.0", "5", "4"), 1.0, "5"),
        (("4", "5"), 0.0, "4"),
        (("none", "nothing", "5"), 1.0, "5"),
        (("none", "nothing"), 0.0, None),
    ],
)
def test_the_most_frequent_number_is_judged(
    answers: tuple[str, ...], value: float, parsed: str | None
) -> None:
    metric = make_numeric_match(NumericSettings(majority=True))

    score = metric.score(make_sample(references=("5",)), make_generation(*answers))

    assert isinstance(score, Score)
    assert (score.value, score.parsed) == (value, parsed)
    assert metric.definition == "numeric_match@last-2-majority"


def test_a_majority_without_a_reference_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match=r"^the sample has no reference$"):
        ExactMatch(MatchSettings(majority=True)).score(
            make_sample(references=()), make_generation("a", "b")
        )


@pytest.mark.parametrize("settings", [{"majority": True}, {"tolerance": 0.1}])
def test_math_verify_takes_no_setting_that_it_would_not_heed(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as refusal:
        make_numeric_match(NumericSettings(engine="math_verify", **settings))

    assert str(refusal.value) == (
        "`majority` and `tolerance` of numeric_match go with `engine: builtin`\n"
        "  try:   leave them out, or take the builtin engine"
    )
