"""Choices: columns, templates and constants are told apart; answers are read in one way for all.

Cases d02-arc-keys-1-to-4, d04-choices-named-by-column, n1-choices-by-column.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmeval_datasets.files.file_settings import CsvSettings, FileSettings
from llmeval_datasets.files.text_datasets import csv_dataset, jsonl_dataset
from llmeval_datasets.rows.row_dataset import RowDataset

from llmeval_core.hooks import ConfigError, DatasetError, Sample

FOUR = ["iron", "air", "wood", "stone"]


def jsonl(folder: Path, *rows: dict[str, Any], **fields: Any) -> RowDataset:
    path = folder / "a.jsonl"
    lines = [json.dumps({"input": "?", **row}, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = jsonl_dataset(FileSettings(path=path, **fields))
    assert isinstance(found, RowDataset)
    return found


def csv(folder: Path, text: str, **fields: Any) -> RowDataset:
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8")
    found = csv_dataset(CsvSettings(path=path, **fields))
    assert isinstance(found, RowDataset)
    return found


def answers(folder: Path, given: list[Any], choices: Any = None, **fields: Any) -> list[int | None]:
    """Read rows with these answers, and the same choices in all."""
    rows = [{"choices": choices or FOUR, "answer": answer} for answer in given]
    data = jsonl(folder, *rows, **{"choices": "choices", **fields})
    return [sample.answer for sample in data.samples()]


def error_of(action: Callable[[], object]) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        action()
    return caught.value


def only(data: RowDataset) -> Sample:
    (sample,) = data.samples()
    return sample


# --- where choices stand ---


def test_n1_choices_by_column_are_read_and_the_counting_is_asked_for(tmp_path: Path) -> None:
    trap = "q,opt1,opt2,opt3,opt4,correct\nFrance?,Rome,Paris,Oslo,Cairo,2\nItaly?,Rome,P,O,C,1\n"
    fields: dict[str, Any] = {
        "input": "q",
        "choices": ["opt1", "opt2", "opt3", "opt4"],
        "answer": "correct",
    }

    error = error_of(lambda: list(csv(tmp_path, trap, **fields).samples()))
    first, second = csv(tmp_path, trap, **fields, answer_as="from_1").samples()

    assert str(error) == (
        "it cannot be told which choice `answer` names: as numbers from 0 and as numbers from 1 "
        "fit all 2 rows, and mean different choices (found: '2' 1x, '1' 1x)\n"
        f"  where: {tmp_path / 'a.csv'}\n"
        "  try:   set `answer_as: from_0` or `answer_as: from_1`"
    )
    assert first.choices == ("Rome", "Paris", "Oslo", "Cairo")
    assert (first.references, second.references) == (("Paris",), ("Rome",))


def test_n1_choices_by_column_counted_to_the_last_are_counted_from_1(tmp_path: Path) -> None:
    data = csv(
        tmp_path,
        "q,opt1,opt2,correct\nFrance?,Rome,Paris,2\nItaly?,Rome,Paris,1\nSpain?,Rome,Madrid,2\n",
        input="q",
        choices=["opt1", "opt2"],
        answer="correct",
    )

    assert [sample.answer for sample in data.samples()] == [1, 0, 1]
    assert data.notes() == (
        "choices stand in the columns opt1, opt2",
        "answers are read as numbers from 1 (found: '2' 1x)",
    )


D04 = "question,A,B,C,D,answer\n日本の首都は？,東京,大阪,京都,奈良,A\n"


@pytest.mark.parametrize("choices", [list("ABCD"), ["{{ A }}", "{{ B }}", "{{ C }}", "{{ D }}"]])
def test_d04_choices_named_by_column_or_by_template(tmp_path: Path, choices: list[str]) -> None:
    sample = only(csv(tmp_path, D04, choices=choices))

    assert sample.choices == ("東京", "大阪", "京都", "奈良")
    assert sample.answer == 0


def test_d04_choices_named_by_column_without_a_header(tmp_path: Path) -> None:
    lines = "日本の首都は？,東京,大阪,京都,奈良,A\n米国の首都は？,NY,LA,SF,DC,D\n"
    names = ["question", *"ABCD", "answer"]

    error = error_of(lambda: list(csv(tmp_path, lines).samples()))
    named = csv(tmp_path, lines, header=False, columns=names, choices=list("ABCD"))
    counted = csv(
        tmp_path,
        lines,
        header=False,
        input="column1",
        choices=[f"column{place}" for place in range(2, 6)],
        answer="column6",
    )

    assert error.hint == (
        "map the field, as in `input: NAME`; if the file has no header, set `header: false` and "
        "`columns: [question, A, B, ...]`"
    )
    assert [sample.references for sample in named.samples()] == [("東京",), ("DC",)]
    assert [sample.choices[3] for sample in counted.samples()] == ["奈良", "DC"]


def test_constants_are_constants_where_no_column_has_the_name_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = jsonl(tmp_path, {"answer": "no"}, {"answer": "yes"}, choices=["no", "yes"])

    assert [sample.references for sample in data.samples()] == [("no",), ("yes",)]
    assert data.notes() == (
        "choices that are the same for all rows, as no column has the name: 'no', 'yes'",
        "answers are read as the choice's own text (found: 'no' 1x)",
    )
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("choices", "warning"),
    [
        (
            ["Opt1", "other"],
            "the choice 'Opt1' is shown as it stands; there is no such column, but",
        ),
        (["opt1", "opt9"], "the choice 'opt9' is shown as it stands; there is no such column, but"),
        (["{opt1}", "x"], "the choice '{opt1}' is shown as it stands; templates have two braces"),
        (["opt1", "zebra"], "the choice 'zebra' is shown as it stands; there is no such column"),
    ],
)
def test_constants_that_look_like_columns_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, choices: list[str], warning: str
) -> None:
    data = csv(tmp_path, "input,opt1,opt2,answer\n?,x,y,0\n", choices=choices, answer_as="from_0")

    list(data.samples())

    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"a: {warning}")


def test_a_name_that_only_a_late_row_has_is_a_column_all_the_same(tmp_path: Path) -> None:
    data = jsonl(
        tmp_path,
        {"A": "a", "B": "b", "answer": "B"},
        {"A": "c", "B": "d", "C": "e", "answer": "C"},
        choices=["A", "B", "C"],
    )

    assert [sample.choices for sample in data.samples()] == [("a", "b"), ("c", "d", "e")]


def test_a_constant_that_is_also_a_column_is_the_column_and_the_mixture_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = csv(tmp_path, "no,input,answer\n1,?,yes\n", choices=["yes", "no"], answer_as="text")
    forced = csv(
        tmp_path, "no,input,answer\n1,?,yes\n", choices=["yes", "{{ 'no' }}"], answer_as="text"
    )

    assert only(data).choices == ("yes", "1")
    assert caplog.messages == ["a: the choice 'yes' is shown as it stands; there is no such column"]
    assert only(forced).choices == ("yes", "no")


def test_an_option_may_be_missing_at_the_end_and_not_between(tmp_path: Path) -> None:
    head = "input,A,B,C,answer\n"

    sample = only(csv(tmp_path, head + "?,x,y,,B\n", choices=list("ABC")))
    error = error_of(lambda: only(csv(tmp_path, head + "?,x,,z,C\n", choices=list("ABC"))))

    assert sample.choices == ("x", "y")
    assert error.what == "choice 2 ('B') is missing, and others follow"


@pytest.mark.parametrize(
    "choices",
    [
        {"text": FOUR, "label": ["A", "B", "C", "D"]},
        [{"label": label, "text": text} for label, text in zip("ABCD", FOUR, strict=True)],
        [{"key": label, "value": text} for label, text in zip("ABCD", FOUR, strict=True)],
        dict(zip("ABCD", FOUR, strict=True)),
        {**dict(zip("ABCD", FOUR, strict=True)), "E": None},
        "A. iron\nB. air\nC. wood\nD. stone",
        "(a) iron\r\n(b) air\r\n(c) wood\r\n(d) stone\r\n",
        json.dumps(FOUR),
        str(FOUR),
        FOUR,
    ],
)
def test_choices_have_many_shapes(tmp_path: Path, choices: Any) -> None:
    sample = only(jsonl(tmp_path, {"choices": choices, "answer": "B"}, choices="choices"))

    assert (sample.choices, sample.answer) == (tuple(FOUR), 1)


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ("ABCD", "choices are no list of at least two: 1 found"),
        (["one"], "choices are no list of at least two: 1 found"),
        ([], "choices are no list of at least two: 0 found"),
        (None, "choices is null, not a list of choices"),
        (7, "choices is '7', not a list of choices"),
        (["a", None], "choices has an item, number 2, that is null, not a text"),
        (["a", ["b"]], "choices has an item, number 2, that is a list of 1, not a text"),
        (["a", ""], "choice 2 is empty"),
        ({"choices": ["a"], "labels": [1]}, "choices is an object with choices, labels, not a"),
        ({"text": ["a", "b"], "label": ["A"]}, "choices has 2 texts and 1 labels"),
        ([{"x": 1}, {"x": 2}], "choices has objects without `text`"),
        ("[1, 2", "choices begins with [ and cannot be read as a list"),
        ("Options:\nA. x\nB. y", "choices begins with 'Options:', which has no label"),
    ],
)
def test_what_is_no_list_of_choices_is_named(tmp_path: Path, choices: Any, what: str) -> None:
    data = jsonl(tmp_path, {"choices": choices, "answer": "A"}, choices="choices")

    error = error_of(lambda: list(data.samples()))

    assert error.what.startswith(what)
    assert error.where == f"{tmp_path / 'a.jsonl'}:1"


def test_lines_that_only_look_lettered_keep_their_beginnings(tmp_path: Path) -> None:
    def read(text: str) -> tuple[str, ...]:
        row = {"choices": text, "answer": text.split("\n")[1]}
        return only(jsonl(tmp_path, row, choices="choices")).choices

    assert read("3.5 km\n4.5 km") == ("3.5 km", "4.5 km")
    assert read("15. August\n16. August") == ("15. August", "16. August")
    assert read("I. Newton\nA. Einstein") == ("I. Newton", "A. Einstein")


def test_a_numbered_line_within_a_lettered_option_belongs_to_it(tmp_path: Path) -> None:
    text = "A. first:\n1. this\n2. that\nB. second"

    sample = only(jsonl(tmp_path, {"choices": text, "answer": "B"}, choices="choices"))

    assert sample.choices == ("first:\n1. this\n2. that", "second")


# --- which choice an answer names ---


def test_d02_arc_keys_1_to_4_are_the_labels_of_their_row(tmp_path: Path) -> None:
    rows = [
        {"choices": {"text": FOUR, "label": list("1234")}, "answerKey": "2"},
        {"choices": {"text": FOUR, "label": list("1234")}, "answerKey": "4"},
        {"choices": {"text": FOUR, "label": list("ABCD")}, "answerKey": "B"},
    ]
    for choices in ("choices.text", "choices"):
        data = jsonl(tmp_path, *rows, choices=choices, answer="answerKey")

        assert [sample.answer for sample in data.samples()] == [1, 3, 1]


def test_d02_arc_keys_1_to_4_alone_are_labels_too(tmp_path: Path) -> None:
    row = {"choices": {"text": FOUR, "label": list("1234")}, "answerKey": "2"}

    for fields in ({"choices": "choices.text"}, {"choices": "choices"}):
        assert only(jsonl(tmp_path, row, **fields, answer="answerKey")).references == ("air",)


def test_labels_can_stand_in_a_field_or_be_the_same_for_all(tmp_path: Path) -> None:
    row = {"options": FOUR, "names": ["w", "x", "y", "z"], "answer": "x"}

    by_field = only(jsonl(tmp_path, row, choices="options", labels="names"))
    by_list = only(jsonl(tmp_path, row, choices="options", labels=["w", "x", "y", "z"]))

    assert by_field.answer == by_list.answer == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["A", "B", "D"], [0, 1, 3]),
        (["b", "(c)", "Ｄ", "A."], [1, 2, 3, 0]),
        (["【B】", "b)", "Ｃ．", "d:"], [1, 1, 2, 3]),
        (["B. air", "(C) wood", "A: iron"], [1, 2, 0]),
        ([0, 1, 3], [0, 1, 3]),
        ([1, 2, 4], [0, 1, 3]),
        (["1", "2", "4"], [0, 1, 3]),
        ([1.0, 4.0], [0, 3]),
        (["1.0", "4.0"], [0, 3]),
        (["(1)", "4.", "３"], [0, 3, 2]),
        (["0", "(3)"], [0, 3]),
        (["ア", "イ", "エ"], [0, 1, 3]),
        (["ｱ", "ｳ"], [0, 2]),
        (["イ", "ロ", "ニ"], [0, 1, 3]),
        (["甲", "丁"], [0, 3]),
        (["①", "④", "② air", "(③)", "②.", "③) wood"], [0, 3, 1, 2, 1, 2]),
        (["い", "う", "え"], [1, 2, 3]),
        (["一", "四"], [0, 3]),
        (["II", "iv"], [1, 3]),
        (["가", "라"], [0, 3]),
        (["air", "STONE", " wood "], [1, 3, 2]),
        ([["B"], ["C"]], [1, 2]),
    ],
)
def test_answers_are_read_in_the_one_way_that_fits_all_rows(
    tmp_path: Path, given: list[Any], expected: list[int]
) -> None:
    assert answers(tmp_path, given) == expected


@pytest.mark.parametrize(
    ("given", "choices", "hint"),
    [
        ([1, 2], FOUR, "set `answer_as: from_0` or `answer_as: from_1`"),
        (["1", "2.0"], FOUR, "set `answer_as: from_0` or `answer_as: from_1`"),
        (["イ"], FOUR, "set `answer_as: katakana` or `answer_as: iroha`"),
        (["B"], ["C", "A", "B", "D"], "set `answer_as: text` or `answer_as: letters`"),
        ([2], ["2", "3", "4", "5"], None),
    ],
)
def test_what_could_be_read_in_two_ways_is_an_error(
    tmp_path: Path, given: list[Any], choices: list[str], hint: str | None
) -> None:
    error = error_of(lambda: answers(tmp_path, given, choices))

    assert error.what.startswith("it cannot be told which choice `answer` names: ")
    assert hint is None or error.hint == hint


def test_a_whole_file_that_is_read_in_no_one_way_is_an_error_with_counts(tmp_path: Path) -> None:
    rows = [{"choices": FOUR, "answer": answer} for answer in (0, 1, 2, 4)]
    data = jsonl(tmp_path, *rows, choices="choices", on_error="skip")

    assert str(error_of(lambda: list(data.samples()))) == (
        "`answer` names the choices in no one way. as numbers from 0: 3 of 4 rows "
        f"({tmp_path / 'a.jsonl'}:4 has '4'); as numbers from 1: 3 of 4 rows "
        f"({tmp_path / 'a.jsonl'}:1 has '0')\n"
        f"  where: {tmp_path / 'a.jsonl'}\n"
        "  try:   mend the rows, or set `answer_as: from_0` or `answer_as: from_1`"
    )


@pytest.mark.parametrize("given", [[0, 1, 4], ["A", "2"], ["ア", "B"], [1, 2, "D"], [4, 0]])
def test_no_row_is_guessed_by_itself(tmp_path: Path, given: list[Any]) -> None:
    error = error_of(lambda: answers(tmp_path, given))

    assert "no one way" in error.what or "is none of the 4 choices, read as" in error.what


def test_a_slip_in_one_row_is_that_row_s(tmp_path: Path) -> None:
    given = ["A", "zebra", "E", "D"]

    error = error_of(lambda: answers(tmp_path, given))

    assert error.what == "the answer 'zebra' is none of the 4 choices, read as letters from A"
    assert error.where == f"{tmp_path / 'a.jsonl'}:2"
    assert answers(tmp_path, given, on_error="skip") == [0, 3]


@pytest.mark.parametrize(
    ("choices", "given", "expected"),
    [
        (["no", "yes"], [True, False], [1, 0]),
        (["yes", "no"], [True, False], [0, 1]),
        (["True", "False"], ["true", "FALSE"], [0, 1]),
        (["いいえ", "はい"], ["TRUE"], [1]),
    ],
)
def test_true_is_the_choice_that_says_so(
    tmp_path: Path, choices: list[str], given: list[Any], expected: list[int]
) -> None:
    assert answers(tmp_path, given, choices) == expected


def test_true_among_choices_that_say_nothing_of_it_is_asked_for(tmp_path: Path) -> None:
    error = error_of(lambda: answers(tmp_path, [True], ["cat", "dog"]))

    assert (
        error.hint == "set `answer_as: from_0` if false means the first choice and true the second"
    )
    assert answers(tmp_path, [True, False], ["cat", "dog"], answer_as="from_0") == [1, 0]


@pytest.mark.parametrize("given", [None, "", [], ["A", "B"], {"a": 1}, float("nan")])
def test_an_answer_that_names_nothing_is_named(tmp_path: Path, given: Any) -> None:
    error = error_of(lambda: answers(tmp_path, [given]))

    assert error.what.startswith("answer is ")
    assert error.where == f"{tmp_path / 'a.jsonl'}:1"


@pytest.mark.parametrize("given", [-1, "²x", 4.5, 10**20, "A. stone", "ABCD"])
def test_an_answer_that_is_no_choice_is_named(tmp_path: Path, given: Any) -> None:
    error = error_of(lambda: answers(tmp_path, [given]))

    assert "is none of the 4 choices" in error.what


def test_a_text_that_is_there_twice_is_named_by_its_label(tmp_path: Path) -> None:
    choices = ["x", "y", "x"]

    assert answers(tmp_path, ["C", "B"], choices) == [2, 1]
    assert "is none of the 3 choices" in error_of(lambda: answers(tmp_path, ["x"], choices)).what


def test_numbers_that_are_the_choices_themselves_are_texts(tmp_path: Path) -> None:
    rows = [{"answer": 1}, {"answer": 2}]

    constant = jsonl(tmp_path, *rows, choices=["1", "2", "3"])

    assert [sample.answer for sample in constant.samples()] == [0, 1]
    assert answers(tmp_path, [7, 9], ["7", "8", "9"]) == [0, 2]


def test_examples_help_to_decide_and_are_read_in_the_same_way(tmp_path: Path) -> None:
    pool = tmp_path / "train.jsonl"
    pool.write_text('{"input": "p", "choices": ["a", "b", "c"], "answer": 3}\n')
    rows = [{"choices": ["a", "b", "c"], "answer": answer} for answer in (1, 2)]

    data = jsonl(tmp_path, *rows, choices="choices", few_shot_file=pool)

    assert [sample.answer for sample in data.samples()] == [0, 1]
    assert [sample.answer for sample in data.few_shot_pool()] == [2]


def test_what_is_decided_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    for numbers in ([4, 1, 2], [1, 2, 4], [2, 4, 1]):
        assert answers(tmp_path, numbers) == [number - 1 for number in numbers]


def test_one_row_is_enough_where_it_leaves_no_doubt(tmp_path: Path) -> None:
    rows = [{"choices": FOUR, "answer": "C"}] * 3
    data = jsonl(tmp_path, *rows, choices="choices")

    list(data.samples())

    assert data.notes() == ("answers are read as letters from A (found: 'C' 1x)",)


FORMS: dict[str, str | None] = {
    "letters": "ABCDEF",
    "katakana": "アイウエオカ",
    "iroha": "イロハニホヘ",
    "stems": "甲乙丙丁戊己",
    "circled": "①②③④⑤⑥",
    "from_0": "012345",
    "from_1": "123456",
    "text": None,
}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.sampled_from(sorted(FORMS)),
    rows=st.lists(
        st.tuples(
            st.lists(st.integers(10, 10**6), min_size=2, max_size=6, unique=True),
            st.integers(0, 5),
            st.sampled_from(["{0}", "({0})", " {0}.", "{0}) {1}", "【{0}】"]),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_answers_in_one_form_are_read_right_or_asked_for_and_never_wrong(
    tmp_path: Path, form: str, rows: list[tuple[list[int], int, str]]
) -> None:
    labels = FORMS[form]
    table: list[dict[str, Any]] = []
    expected: list[int | None] = []
    for numbers, number, written in rows:
        choices = [f"choice {each}" for each in numbers]
        place = number % len(choices)
        said = choices[place] if labels is None else written.format(labels[place], choices[place])
        table.append({"choices": choices, "answer": said})
        expected.append(place)

    told = jsonl(tmp_path, *table, choices="choices", answer_as=form)
    try:
        found = [each.answer for each in jsonl(tmp_path, *table, choices="choices").samples()]
    except DatasetError as err:
        found = expected if "it cannot be told" in err.what else []

    assert found == expected == [each.answer for each in told.samples()]


def test_settings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`answer` is set and `choices` is not"):
        jsonl(tmp_path, {}, answer="answer")
    with pytest.raises(ConfigError, match="`choices` lists fewer than two"):
        jsonl(tmp_path, {}, choices=["A"])


@pytest.mark.parametrize(
    "name", ["a.b", "my question", "q[0]", "質問（本文）", "0", "q: {x}", "a.b.c", "{q}"]
)
def test_a_column_may_have_any_name(tmp_path: Path, name: str) -> None:
    row = {name: "asked", "answer": "x", "a": {"b": "not this"}}

    assert only(jsonl(tmp_path, {**row, "input": "no"}, input=name)).input == "asked"


def test_a_path_goes_through_keys_with_dots_and_from_the_end(tmp_path: Path) -> None:
    row = {"turns": [{"text": "a"}, {"text": "b"}], "x.y": {"z": "c"}, "answer": "d"}

    data = jsonl(tmp_path, row, input="turns.-1.text", references="x.y.z")

    assert (only(data).input, only(data).references) == ("b", ("c",))


def test_a_path_never_leads_into_a_text(tmp_path: Path) -> None:
    data = jsonl(tmp_path, {"q": "text", "answer": "x"}, input="q.0")

    assert error_of(lambda: list(data.samples())).what.startswith("no field 'q.0' for input; ")


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("{question}", "a template is written with two braces: `{{ column }}`"),
        ("QUESTION", "did you mean 'question'?"),
        ("question,answer", "write a list: [question, answer]"),
    ],
)
def test_a_field_that_is_nearly_right_gets_a_hint(tmp_path: Path, field: str, hint: str) -> None:
    data = jsonl(tmp_path, {"question": "?", "answer": "x"}, input=field)

    assert error_of(lambda: list(data.samples())).hint == hint
