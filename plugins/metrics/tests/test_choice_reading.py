"""Which choice an answer in words names, in seven languages; a word is no letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_metrics.choice_accuracy import ChoiceAccuracy, ChoiceSettings
from llmeval_metrics.choice_parsing import find_choice

from llmeval_core.hooks import Sample
from llmeval_core.testing import make_generation

COLOURS = ("red", "light blue", "green", "black")
A, B, C, D = range(4)


def assert_names(text: str, choice: int | None) -> None:
    assert find_choice(text, COLOURS) == choice


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{B}",
        r"\text{B}",
        r"$\mathbf{B}$",
        r"$\boxed{\text{B}}$",
        r"The final answer is $\boxed{\textbf{(B)}}$.",
        r"The answer is $\mathrm{B}$",
        "<answer>B</answer>",
        "<answer>\nB. light blue\n</answer>",
        "<answer>B",
        "It is blue.\n#### B",
        "Let me see.\nFinal: B",
        "I think B.",
        "<|begin_of_box|>B<|end_of_box|>",
        "**B**",
        "**(B)**",
        "（Ｂ）",
        "[[B]]",
        "【B】",
        "`B`",
        "B\u200b",
        "\ufeff**B**\u00ad",
    ],
)
def test_a_letter_is_found_in_latex_tags_and_brackets(text: str) -> None:
    assert_names(text, B)


STATEMENTS = (
    "The answer is {}", "the correct answer is ({})", "Answer: {}", "**Answer:** {}",
    "The correct option is: {}", "I choose {}", "I'd go with {}", "{} is correct",
    "The answer must be {}", "Therefore, {}.", "Final answer: **{}**",
    "The answer to the question is {}.", "It is {}.", "Solution: {}", "Correct: {}",
    "最も適切なのは{}です。なぜなら青いからです。",
    "この問題の答えは、{}です", "{}と考えられます。",
    "我认为是{}", "最合适的是{}。", "{}项正确", "{}를 선택합니다", "Die Antwort ist also {}.",
    "La bonne réponse est donc {}.", "C'est {}.", "L'option correcte est {}", "Es la {}.",
    "La alternativa correcta es {}",
    "答えは{}です", "正解：{}", "答えは「{}」", "{}が正解です", "{}を選びます", "したがって、{}。",
    "答案是{}", "正确答案为{}", "故选{}。", "所以选{}", "选项{}是正确的", "答案：（{}）",
    "정답은 {}", "정답은 {}입니다.", "답: {}", "{}가 정답입니다",
    "Die richtige Antwort ist {}", "Die Antwort lautet: {}", "Antwort: {}", "{} ist richtig",
    "La réponse est {}", "La bonne réponse est la {}", "Réponse : {}", "{} est la bonne réponse",
    "La respuesta correcta es {}", "La respuesta es la opción {}", "Respuesta: {}",
    "{} es correcta",
)  # fmt: skip
LABELS = ("ABCD", "ＡＢＣＤ", "アイウエ")
BEFORE = (
    "",
    "Let me think about it.\n",
    "A or B? Hmm. ",
    "Option D is wrong. ",
    "答えはAではない。",
)
AFTER = ("", "\n", " \u200b")


@given(
    st.sampled_from(BEFORE),
    st.sampled_from(STATEMENTS),
    st.sampled_from(LABELS),
    st.sampled_from(range(4)),
    st.sampled_from(AFTER),
)
def test_usual_sentences_of_seven_languages_name_their_letter(
    before: str, statement: str, labels: str, choice: int, after: str
) -> None:
    assert_names(before + statement.format(labels[choice]) + after, choice)


@given(st.lists(st.tuples(st.sampled_from(STATEMENTS), st.sampled_from(range(4))), min_size=1))
def test_the_final_statement_wins(said: list[tuple[str, int]]) -> None:
    lines = [statement.format(COLOURS_LABELS[choice]) for statement, choice in said]

    # Between them stands a line, so that `B.` at an end does not begin a list.
    assert_names("\nLet me see.\n".join(lines), said[-1][1])


COLOURS_LABELS = "ABCD"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("not A, so the answer is C", C),
        ("The answer is not A but B", B),
        ("答えはAではなくBです", B),
        ("答案不是A而是B", B),
        ("정답은 A가 아니라 B", B),
        ("Die Antwort ist nicht A, sondern B", B),
        ("La réponse n'est pas A mais B", B),
        ("La respuesta no es A sino B", B),
        ("The answer is A. No wait, the answer is B.", B),
        ("The answer is B. Option A is wrong.", B),
        ("The answer is B; A, C and D are wrong", B),
        ("Of the options, A is wrong, B is right", B),
        ("Between A and B, I choose B", B),
        ("Let me think.\n\n**B**", B),
        ("The answer is light blue, not red", B),
        ("答えは green です。red ではない", C),
        (r"\boxed{A}? No: \boxed{C}. See option (B).", C),
        ("<answer>A</answer> or rather <answer>C</answer>", C),
    ],
)
def test_what_is_ruled_out_is_not_what_is_meant(text: str, choice: int) -> None:
    assert_names(text, choice)


@pytest.mark.parametrize(
    "text",
    [
        "A good question",
        "I think",
        "The answer is A good one",
        "So A good idea",
        "à",
        "y",
        "o",
        "La respuesta es o",
        "C'est la vie",
        "D'accord",
        "B-cells are",
        "Vitamin C is",
        "A.I. is cool",
        "Plan B",
        "アイス",
        "USA",
    ],
)
def test_a_word_is_no_letter(text: str) -> None:
    assert_names(text, None)


@pytest.mark.parametrize(
    "text",
    [
        "A and B",
        "The answer is A or B",
        "The answer is A/B",
        "The answer is A, B and C",
        "答えはAかBです",
        "A、B",
        "答案是A和B",
        "La respuesta es A o B",
        "(A) or (C)",
        "Both (A) and (B)",
        "A. red\nB. light blue\nC. green\nD. black",
        "red or green",
        "The answer is A. On second thoughts the answer is A or B.",
    ],
)
def test_several_letters_with_equal_right_are_no_answer(text: str) -> None:
    assert_names(text, None)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("イ", B),
        ("(ウ)", C),
        ("イ. light blue", B),
        ("2", B),
        ("2番", B),
        ("②", B),
        ("答えは2です", B),
        ("정답은 2번입니다", B),
        ("答案是2", B),
        ("Light Blue.", B),
        ("5", None),
        ("E", None),
        ("オ", None),
    ],
)
def test_labels_may_be_kana_numbers_or_the_choice_itself(text: str, choice: int | None) -> None:
    assert_names(text, choice)


@given(st.text(max_size=80))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    find_choice(text, COLOURS)


# Quadratic time would take minutes here.
@pytest.mark.parametrize(
    "unit",
    ["the answer is A ", "A ", "**", "B\n", "<answer>", "<answer>B", r"\text{", "{", "答えは",
     "is ", "A、", "$", "red ", "not A but "],
)  # fmt: skip
def test_endless_repetition_is_read_in_linear_time(unit: str) -> None:
    find_choice("A" + unit * (100_000 // len(unit)) + "x", COLOURS)


@pytest.mark.parametrize(
    ("answers", "value", "parsed"),
    [
        (("A", "B", "The answer is B"), 1.0, "B"),
        (("A", "B"), 0.0, "A"),
        (("no idea", "none", "B"), 1.0, "B"),
        (("no idea", "none"), 0.0, None),
    ],
)
def test_a_majority_of_answers_is_judged_the_first_of_a_tie(
    answers: tuple[str, ...], value: float, parsed: str | None
) -> None:
    metric = ChoiceAccuracy(ChoiceSettings(majority=True))
    sample = Sample("s", "Sky?", ("light blue",), choices=COLOURS, answer=B)

    score = metric.score(sample, make_generation(*answers))

    assert (score.value, score.parsed) == (value, parsed)
    assert metric.definition == "acc@lm-eval-majority"


def test_an_answer_in_words_is_another_number_than_one_by_likelihood() -> None:
    metric = ChoiceAccuracy(ChoiceSettings(normalize="chars", majority=True))

    assert metric.for_answers("loglikelihood").definition == "acc_norm@lm-eval"
    assert metric.for_answers("letter").definition == "acc_words@llmeval-2-majority"
    assert metric.for_answers("generation").definition == "acc_words@llmeval-2-majority"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- C", 2),
        ("> **C**", 2),
        ("A\nB\nC\nD", None),
        ("So it is\nC", 2),
        ("Richtig ist B", 1),
        ("Nicht richtig ist B", None),
    ],
)
def test_marks_of_lists_and_lists_of_labels(text: str, expected: int | None) -> None:
    """a01-thinking-tags, of its kind: a label alone, behind a list's mark or among all."""
    assert find_choice(text, ("Rome", "Paris", "Oslo", "Bern")) == expected
