"""Reasoning told apart from the answer; inputs of the case a01-thinking-tags and of its kind."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.reasoning import KNOWN_TAGS, ReasoningFinder, ReasoningSplit, split_answers
from llmeval_core.records import Generation

CASE = Path(__file__).parents[2] / "data" / "reasoning" / "a.jsonl"
CASE_TEXTS = [json.loads(line)["input"] for line in CASE.read_text("utf-8").splitlines()]
FENCE = "```"


def answer(text: str, tags: tuple[tuple[str, str], ...] | None = None) -> str:
    parted = ReasoningFinder(tags).split(text)
    return text if parted is None else parted.answer


@pytest.mark.parametrize("text", CASE_TEXTS, ids=[f"a01-{n}" for n in range(len(CASE_TEXTS))])
def test_a01_thinking_tags(text: str) -> None:
    assert answer(text) == "Paris"


@pytest.mark.parametrize(
    "text",
    [
        "thought </think>Paris",
        "<think>a</think>b<think>c</think>Paris",
        "<think>a<think>b</think>Paris",
        "<THINK>x</Think>Paris",
        "<think type='deep' n=1>x</ think >\nParis",
        "< think >x< /think>Paris",
        "<think/>Paris",
        "<think></think>\n\nParis",
        "<thinking>x</think>Paris",
        "<think>x</thinking>Paris",
        "<thoughts>x</thoughts>Paris",
        "[think]x[/think]Paris",
        "<longcat_think>x</longcat_think>Paris",
        "<unused94>thought\nx<unused95>Paris",
        "<|inner_prefix|>x<|inner_suffix|>Paris",
        "The user wants the <thought> tag.</think>Paris",
        "<|channel>thought\nx<channel|>Paris",
        "<|START_THINKING|>x<|END_THINKING|><|START_RESPONSE|>Paris<|END_RESPONSE|>",
        "<|begin_of_thought|>x<|end_of_thought|>\n<|begin_of_solution|>Paris<|end_of_solution|>",
        "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>commentary<|message|>y"
        "<|end|><|start|>assistant<|channel|>final<|message|>Paris<|return|>",
        "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final "
        "<|constrain|>json<|message|>Paris<|end|>",
        "analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>Paris",
        "analysisThe user asks for a capital.assistantfinalParis",
        "Here is my thought process: x. Here is my response: Paris",
        "Here's my thought process:\nx\n\nHere's my response:\nParis",
        "Here are my reasoning steps:\nx\n[BEGIN FINAL RESPONSE]\nParis\n[END FINAL RESPONSE]\n"
        "<|end|>",
        f"<think>\n{FENCE}\nunfinished\n</think>\nParis",
    ],
)
def test_what_servers_leave_in_the_text_is_no_part_of_the_answer(text: str) -> None:
    assert answer(text).strip() == "Paris"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>Answer: C is likely but", ""),
        ("<think>a</think>b<think>c", "b"),
        ("Sure.\n<think>It might be", "Sure."),
        ("<think>I use <reasoning>x</reasoning> and", ""),
        ("<|channel|>analysis<|message|>It might be", ""),
        ("[THINK]It might be", ""),
    ],
)
def test_a_thought_that_never_ends_is_no_answer(text: str, left: str) -> None:
    parted = ReasoningFinder().split(text)

    assert parted is not None
    assert (parted.answer, parted.is_open) == (left, True)


@pytest.mark.parametrize(
    "text",
    [
        "Paris <think>no</think>",
        "Paris\n\n<reasoning>It is the capital.</reasoning>\n",
        "<think>a</think>Paris<think>b</think>",
        "<think>a</think>Paris<think>b</think>\n<think>c",
        "a</think>Paris<think>b</think>",
    ],
)
def test_an_answer_before_a_last_thought_stays(text: str) -> None:
    assert answer(text) == "Paris"


@pytest.mark.parametrize(
    "text",
    ["Paris</think>", "<think>x</think>", "x</think>\n<think>y</think>", "<think>x</think> "],
)
def test_where_all_is_thought_there_is_no_answer(text: str) -> None:
    assert answer(text) == ""


def test_a_bare_channel_that_was_cut_off_is_a_thought() -> None:
    text = "analysisWe need to answer. So B"

    assert ReasoningFinder().split(text) is None
    assert ReasoningFinder().split(text, is_cut_off=True) == ReasoningSplit(
        "", "We need to answer. So B", is_open=True
    )
    assert ReasoningFinder().split("analysis of words", is_cut_off=True) is None


def test_a_phrase_that_is_never_followed_up_is_a_thought_only_if_the_text_was_cut_off() -> None:
    text = "Here is my thought process: It might be"

    assert ReasoningFinder().split(text) is None
    assert ReasoningFinder().split(text, is_cut_off=True) == ReasoningSplit(
        "", "It might be", is_open=True
    )


@pytest.mark.parametrize(
    "text",
    [
        "Paris",
        "1 < 2 and [3] > 2",
        "End it with `</think>`.",
        "End it with ``the </think> tag``.",
        'He wrote "<think>hello</think>" and left.',
        '{"template": "<think>x</think>", "n": 1}',
        'Set "stop" to "</think>" or “<think>”.',
        f"{FENCE}xml\n<think>\nx\n</think>\ny\n{FENCE}",
        "~~~\n</think>\n~~~",
        "<think-tank>x</think-tank>",
        "<thinkers>x</thinkers>",
        "analysis of the final word",
        "analysis of the data: the assistant finally says 4",
        "analysis: the assistant final says 4",
        "The assistantfinal token",
        "I think. Here is my response: Paris",
    ],
)
def test_an_answer_that_speaks_of_tags_is_left_as_it_is(text: str) -> None:
    assert ReasoningFinder().split(text) is None


def test_code_in_the_answer_keeps_its_tags_and_its_indentation() -> None:
    assert answer("<think>x</think>Use `</think>`.") == "Use `</think>`."
    assert answer("<think>x</think>\n\n    return 1\n") == "    return 1\n"


def test_a_code_block_that_a_thought_left_open_does_not_swallow_its_end() -> None:
    text = f"<think>\n{FENCE}\ncode\n</think>\n{FENCE}python\nx = 1\n{FENCE}"

    assert answer(text) == f"{FENCE}python\nx = 1\n{FENCE}"


@pytest.mark.parametrize(
    ("tags", "text", "left"),
    [
        ((), "<think>x</think>Paris", "<think>x</think>Paris"),
        ((("<plan>", "</plan>"),), "<plan a=1>x</PLAN>Paris", "Paris"),
        ((("<plan>", "</plan>"),), "<think>x</think>Paris", "<think>x</think>Paris"),
        ((("(((", ")))"),), "x)))Paris", "Paris"),
        ((("BEGIN", "END"),), "begin x end Paris", "Paris"),
        ((("^", "^^"),), "^x^^Paris", "Paris"),
    ],
)
def test_tags_can_be_set(tags: tuple[tuple[str, str], ...], text: str, left: str) -> None:
    assert answer(text, tags) == left


def test_reasoning_of_the_server_and_of_the_text_are_told_together() -> None:
    generation = Generation(("<think>b</think>Paris", "Rome"), reasonings=("a", None))

    assert split_answers(generation, ReasoningFinder()) == [
        ReasoningSplit("Paris", "a\nb"),
        ReasoningSplit("Rome", ""),
    ]


pieces = st.sampled_from(
    [tag for pair in KNOWN_TAGS for tag in pair]
    + ["`", "```\n", "\n", " ", "x", "<", "<|message|>", "<|channel|>", "final", "analysis"]
)


@given(st.one_of(st.text(), st.lists(pieces).map("".join)))
def test_any_text_can_be_parted_and_no_open_thought_is_left_in_the_answer(text: str) -> None:
    finder = ReasoningFinder()

    parted = finder.split(text)

    if parted is not None:
        assert parted.answer.strip() in text
        again = finder.split(parted.answer)
        assert again is None or "`" in text or "<|" in text


@given(
    st.sampled_from(KNOWN_TAGS),
    st.text(alphabet="abc \n.,?!", max_size=50),
    st.text(alphabet="abc.,?!", min_size=1, max_size=20),
)
def test_a_thought_between_known_tags_never_reaches_the_answer(
    tag: tuple[str, str], thought: str, left: str
) -> None:
    opening, closing = tag

    assert answer(f"{opening}{thought}{closing}{left}") == left
    assert answer(f"{thought}{closing}{left}") == left
    assert answer(f"{opening}{thought}") == ""


def test_tags_are_taken_off_the_ends_of_a_thought_however_many_there_are() -> None:
    found = ReasoningFinder().split("<think> <think>\n<think>so</think> </think></think>\n4")

    assert found == ReasoningSplit("4", "so")


def test_a_model_that_only_says_tags_is_read_in_time_that_grows_with_its_text() -> None:
    finder = ReasoningFinder()

    def measure(n: int) -> float:
        started = process_time()
        finder.split("<think></think>" * n)
        return process_time() - started

    short = min(measure(10_000) for _ in range(3))
    assert measure(160_000) < 45 * short  # squared, it is 100
