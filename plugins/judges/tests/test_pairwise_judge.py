"""judge_pairwise and judge_choice: both orders, flips, other answers; which choice is meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_judges.choice_judge import ChoiceJudge
from llmeval_judges.judge_settings import ChoiceJudgeSettings, PairwiseJudgeSettings
from llmeval_judges.pairwise_judge import Comparison, PairwiseJudge
from llmeval_judges.scale import Level
from llmeval_judges.verdict_reader import Verdict

from llmeval_core.hooks import ConfigError, Generation, Question
from llmeval_core.testing import check_metric, make_sample

Verdicts = Callable[..., str]
CAPITAL = make_sample()
CHOICES = make_sample(references=(), choices=("Paris", "Rome", "Oslo"), answer=0)


def pairwise(**settings: Any) -> PairwiseJudge:
    return PairwiseJudge(PairwiseJudgeSettings(**settings))


def said(text: str) -> Generation:
    return Generation((text,), finish_reason="stop")


def place_of(text: str, question: Question) -> str:
    """Say which place an answer has."""
    asked = question.messages[1].text
    first = asked.split("===== ANSWER 1 ")[1].split("===== END")[0]
    return "first" if f"\n{text}\n" in first else "second"


async def test_who_wins_in_both_orders_has_won(scripted: Any, verdict: Verdicts) -> None:
    ask = scripted(lambda question, role: verdict(place_of("It is Paris.", question)))

    won = await pairwise().score(CAPITAL, said("It is Paris."), ask)
    lost = await pairwise().score(make_sample(references=("It is Paris.",)), said("Rome"), ask)

    assert (won.value, won.parsed) == (1.0, "win")
    assert (lost.value, lost.parsed) == (0.0, "loss")
    assert pairwise().roles == {"judge": 2}
    places = [place_of("It is Paris.", question) for question, _ in ask.asked]
    assert sorted(places) == ["first", "first", "second", "second"]


@pytest.mark.parametrize("place", ["first", "second"])
async def test_a_verdict_that_goes_with_the_place_is_a_tie_and_counted(
    place: str, scripted: Any, verdict: Verdicts
) -> None:
    ask = scripted(lambda question, role: verdict(place))

    score = await pairwise().score(CAPITAL, said("It is Paris."), ask)
    flips = await pairwise(number="flips").score(CAPITAL, said("It is Paris."), ask)

    assert (score.value, score.parsed) == (0.5, "tie")
    assert score.details == {
        "jury": [{"judge": "judge", "verdicts": [place, place], "reasons": ["because", "because"]}],
        "flips": 1.0,
        "n_characters": 12,
        "n_characters_other": 5,
    }
    assert flips.value == 1.0
    assert len(ask.asked) == 2, "another number of the same judge asks nothing more"


@given(*(st.sampled_from(["first", "tie", "second"]),) * 2)
def test_both_orders_are_treated_alike(forward: str, backward: str) -> None:
    def comparison(*labels: str) -> Comparison:
        return Comparison(*(Verdict(Level(label, 0.0)) for label in labels))

    one, swapped = comparison(forward, backward), comparison(backward, forward)

    # Seen from the other side, the two orders change places, and a win is a loss.
    assert one.value + swapped.value == 1.0
    assert one.flips == swapped.flips
    assert not one.flips or one.value == 0.5


async def test_without_both_verdicts_there_is_none(scripted: Any, verdict: Verdicts) -> None:
    def answer(question: Question, role: str) -> str:
        is_first = place_of("It is Paris.", question) == "first"
        return verdict("first") if is_first else "hard to say"

    with pytest.raises(ValueError, match="no verdict can be read"):
        await pairwise().score(CAPITAL, said("It is Paris."), scripted(answer))


async def test_a_jury_compares_and_may_lose_a_member(scripted: Any, verdict: Verdicts) -> None:
    def answer(question: Question, role: str) -> str:
        if role == "c":
            return "hm"
        return verdict("first") if role == "b" else verdict(place_of("It is Paris.", question))

    jury = pairwise(judges=("a", "b", "c"))
    score = await jury.score(CAPITAL, said("It is Paris."), scripted(answer))

    assert jury.roles == {"a": 2, "b": 2, "c": 2}
    assert score.value == 0.75
    assert isinstance(score.details, dict)
    assert score.details["flips"] == 0.5


async def test_answers_of_another_model_come_from_a_file(
    tmp_path: Path, scripted: Any, verdict: Verdicts
) -> None:
    rows = [
        {"id": "s1", "input": CAPITAL.input, "answered": {"texts": ["<think>hm</think>Lyon"]}},
        {"id": "s2", "answer": "Oslo"},
        {"id": "s3", "input": "Another question", "answer": "Oslo"},
    ]
    path = tmp_path / "other.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    judge = pairwise(against=str(path))
    ask = scripted(lambda question, role: verdict(place_of("Lyon", question)))

    score = await judge.score(CAPITAL, said("Paris"), ask)

    assert score.value == 0.0
    assert "\nLyon\n" in ask.asked[0][0].messages[1].text
    assert "hm" not in ask.asked[0][0].messages[1].text.split("ANSWER 1")[1]
    with pytest.raises(ValueError, match=r"other.jsonl has no answer to sample 's9'"):
        await judge.score(make_sample(id="s9"), said("Paris"), ask)
    with pytest.raises(ValueError, match=r"the answer of other.jsonl to 's3' is to another"):
        await judge.score(make_sample(id="s3"), said("Paris"), ask)
    path.write_text('{"id": "s1", "answer": "Rome"}\n', encoding="utf-8")
    assert pairwise(against=str(path)).definition != judge.definition


async def test_samples_that_failed_have_no_answer_to_compare_with(
    tmp_path: Path, scripted: Any, verdict: Verdicts
) -> None:
    talk = [{"role": "user", "content": "Another question"}]
    rows = [
        {"id": "s1", "input": CAPITAL.input, "answered": None, "failure": {"kind": "timeout"}},
        {"id": 2, "input": CAPITAL.input, "answered": {"texts": ["Lyon"]}},
        {"id": "3", "input": talk, "answered": {"texts": ["Lyon"]}},
    ]
    path = tmp_path / "other.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    judge = pairwise(against=str(path))
    ask = scripted(lambda question, role: verdict(place_of("Lyon", question)))

    score = await judge.score(make_sample(id="2"), said("Paris"), ask)

    assert score.value == 0.0
    with pytest.raises(ValueError, match=r"other.jsonl has no answer to sample 's1'"):
        await judge.score(CAPITAL, said("Paris"), ask)
    with pytest.raises(ValueError, match=r"the answer of other.jsonl to '3' is to another"):
        await judge.score(make_sample(id="3"), said("Paris"), ask)


def test_answers_of_two_models_in_one_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text('{"id": 1, "answer": "Rome"}\n{"id": "1", "answer": "Oslo"}\n')

    with pytest.raises(ConfigError) as caught:
        pairwise(against=str(path))

    assert str(caught.value) == (
        f"the id '1' comes twice\n  where: {path}, line 2\n"
        "  try:   leave the answers of one model to one task"
    )


def test_what_cannot_be_compared_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        pairwise(against="openai/gpt-4o")
    assert str(caught.value) == (
        "which answers of 'openai/gpt-4o'?\n"
        "  try:   name the task: `against_task: faq_0shot`; a file's name ends in .jsonl"
    )
    with pytest.raises(ConfigError) as caught:
        pairwise(rubric="correctness")
    assert str(caught.value) == (
        "the verdicts of rubric 'correctness' are yes, no\n"
        "  try:   judge_pairwise needs a rubric with first, tie and second, as `preference`"
    )
    path = tmp_path / "none.jsonl"
    with pytest.raises(ConfigError, match="the file cannot be read"):
        pairwise(against=str(path))


# --- judge_choice


@pytest.mark.parametrize(("label", "value"), [("A", 1.0), ("a", 1.0), ("B", 0.0), ("none", 0.0)])
async def test_the_choice_that_an_answer_means(
    label: str, value: float, scripted: Any, verdict: Verdicts
) -> None:
    ask = scripted(lambda question, role: verdict(label))
    judge = ChoiceJudge(ChoiceJudgeSettings())

    score = await judge.score(CHOICES, said("The one on the Seine"), ask)

    assert score.value == value
    ((question, _),) = ask.asked
    assert "A. Paris\nB. Rome\nC. Oslo" in question.messages[1].text
    schema = question.response_format["json_schema"]["schema"]
    assert schema["properties"]["verdict"]["enum"] == ["A", "B", "C", "none"]
    assert judge.definition.startswith("judge_choice@choice-1-")


async def test_a_letter_that_there_is_not_is_no_choice(scripted: Any, verdict: Verdicts) -> None:
    ask = scripted(lambda question, role: verdict("D"))

    with pytest.raises(ValueError, match="no verdict can be read"):
        await ChoiceJudge(ChoiceJudgeSettings()).score(CHOICES, said("Bergen"), ask)
    with pytest.raises(ValueError, match="the sample has no choices"):
        await ChoiceJudge(ChoiceJudgeSettings()).score(CAPITAL, said("Bergen"), ask)


async def test_a_jury_that_is_split_counts_in_part(scripted: Any, verdict: Verdicts) -> None:
    ask = scripted(lambda question, role: verdict({"a": "A", "b": "B"}[role]))
    judge = ChoiceJudge(ChoiceJudgeSettings(judges=("a", "b")))

    score = await judge.score(CHOICES, said("Paris or Rome"), ask)

    assert (score.value, score.parsed) == (0.5, None)


async def test_the_kit_finds_nothing_wrong(verdict: Verdicts) -> None:
    def first_wins(question: Question, role: str) -> Generation:
        return said(verdict("first"))

    for number in ("score", "flips", "agreement"):
        metric = pairwise(number=number, repeats=2)
        await check_metric(metric, [(CAPITAL, said("Paris"))], answer=first_wins)
    choice = ChoiceJudge(ChoiceJudgeSettings())
    await check_metric(
        choice, [(CHOICES, said("Paris"))], answer=lambda question, role: said(verdict("A"))
    )
