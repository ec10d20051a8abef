"""Files: every form is read the same, and what is wrong is named with its line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from llmeval_datasets.files.file_settings import CsvSettings, FileSettings
from llmeval_datasets.files.parquet import parquet_dataset
from llmeval_datasets.files.text_datasets import csv_dataset, jsonl_dataset

from llmeval_core.hooks import ConfigError, Dataset, DatasetError
from llmeval_core.testing import check_dataset

ROWS = [
    {"question": "首都は？", "answers": ["東京", "とうきょう"], "group": "geo"},
    {"question": "1 + 1?", "answers": ["2"], "group": "math"},
]


def jsonl(path: Path, rows: list[Any] | None = None) -> Path:
    lines = [json.dumps(row, ensure_ascii=False) for row in (ROWS if rows is None else rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def dataset(path: Path, **settings: Any) -> Dataset:
    return jsonl_dataset(FileSettings(path=path, **settings))


def error_of(action: Callable[[], object]) -> str:
    with pytest.raises(DatasetError) as caught:
        action()
    return str(caught.value)


def test_jsonl_needs_no_mapping_for_usual_names(tmp_path: Path) -> None:
    data = dataset(jsonl(tmp_path / "my set.jsonl"), category="group")

    check_dataset(data)
    first, second = data.samples()
    assert data.name == "my_set"
    assert (first.id, first.input, first.references) == ("0", "首都は？", ("東京", "とうきょう"))
    assert (second.id, second.category) == ("1", "math")


def test_fields_can_be_paths_and_templates(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"q": {"text": "up"}, "gold": [{"a": 5}], "n": 7}])

    (sample,) = dataset(
        path, input="{{ q.text }}?", references="gold.0.a", id="n", metadata={"number": "n"}
    ).samples()

    assert (sample.input, sample.references, sample.id) == ("up?", ("5",), "7")
    assert sample.metadata == {"number": 7}


@pytest.mark.parametrize(
    ("choices", "answer"),
    [
        (["red", "blue"], 2),
        (["red", "blue"], "2"),
        (["red", "blue"], "B"),
        (["red", "blue"], "blue"),
        ("A. red\nB. blue", "B. blue"),
        ("(A) red\n(B) blue", "b"),
    ],
)
def test_the_right_choice_is_found_by_index_letter_and_text(
    tmp_path: Path, choices: object, answer: object
) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"input": "?", "choices": choices, "answer": answer}])

    (sample,) = dataset(path, choices="choices", answer="answer").samples()

    assert (sample.choices, sample.answer) == (("red", "blue"), 1)
    assert sample.references == ("blue",)


def test_gzip_and_bom_change_nothing(tmp_path: Path) -> None:
    plain = jsonl(tmp_path / "a.jsonl")
    marked = tmp_path / "b.jsonl"
    marked.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes())
    packed = tmp_path / "c.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    read = [list(dataset(path).samples()) for path in (plain, marked, packed)]

    assert read[0] == read[1] == read[2]
    assert dataset(packed).size() == 2


def test_csv_and_parquet_give_the_same_samples(tmp_path: Path) -> None:
    rows = [{"input": 'say "hi",\nplease', "output": "hi"}, {"input": "２", "output": "2"}]
    (tmp_path / "a.csv").write_text(
        'input;output\n"say ""hi"",\nplease";hi\n２;2\n', encoding="utf-8-sig"
    )
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")

    as_csv = csv_dataset(CsvSettings(path=tmp_path / "a.csv", delimiter=";"))
    as_parquet = parquet_dataset(FileSettings(path=tmp_path / "a.parquet"))

    check_dataset(as_csv)
    check_dataset(as_parquet)
    expected = list(dataset(jsonl(tmp_path / "a.jsonl", rows)).samples())
    assert list(as_csv.samples()) == list(as_parquet.samples()) == expected


def test_the_fingerprint_follows_content_and_mapping_not_the_path(tmp_path: Path) -> None:
    one, two = jsonl(tmp_path / "a.jsonl"), jsonl(tmp_path / "b.jsonl")
    other = jsonl(tmp_path / "c.jsonl", ROWS[:1])

    assert dataset(one).fingerprint() == dataset(two).fingerprint()
    assert dataset(one).fingerprint() != dataset(other).fingerprint()
    assert dataset(one).fingerprint() != dataset(one, input="group").fingerprint()


def test_examples_come_from_the_pool_file(tmp_path: Path) -> None:
    pool = jsonl(tmp_path / "train.jsonl", [{"input": "x", "output": "y"}])

    data = dataset(jsonl(tmp_path / "a.jsonl"), few_shot_file=pool)

    assert [sample.input for sample in data.few_shot_pool()] == ["x"]


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl")
    path.write_text(path.read_text() + "\n{oops\n")

    assert error_of(lambda: list(dataset(path).samples())) == (
        "not JSON: Expecting property name enclosed in double quotes, column 2\n"
        f"  where: {path}:4\n"
        "  try:   mend the row, map the field, or set `on_error: skip`"
    )


def test_a_missing_field_is_named_with_what_the_row_has(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [*ROWS, {"question": "?"}])

    assert error_of(lambda: list(dataset(path, references="answers").samples())) == (
        "no field 'answers' for references; the row has question\n"
        f"  where: {path}:3\n"
        "  try:   mend the row, map the field, or set `on_error: skip`"
    )


def test_a_template_that_fails_on_row_seven_is_named(tmp_path: Path) -> None:
    rows = [{"input": "?", "output": "!", **({} if n == 7 else {"hint": "h"})} for n in range(1, 9)]
    path = jsonl(tmp_path / "a.jsonl", rows)

    message = error_of(lambda: list(dataset(path, input="{{ hint }}").samples()))

    assert message.startswith("the template of input fails: 'hint' is undefined\n")
    assert f"{path}:7" in message


def test_bad_rows_can_be_skipped_and_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = jsonl(tmp_path / "a.jsonl", [ROWS[0], {"no": 1}, 5, ROWS[1]])
    data = dataset(path, on_error="skip")

    samples = list(data.samples())

    assert [sample.id for sample in samples] == ["0", "1"]
    (message,) = caplog.messages
    assert message.startswith(f"a: 2 bad rows skipped; the first: {path}:2, no field for ref")
    assert data.size() is None


def test_a_file_that_is_not_there_suggests_the_nearest(tmp_path: Path) -> None:
    jsonl(tmp_path / "questions.jsonl")

    message = error_of(lambda: list(dataset(tmp_path / "question.jsonl").samples()))

    assert message == (
        f"there is no file '{tmp_path / 'question.jsonl'}'\n"
        f"  try:   did you mean '{tmp_path / 'questions.jsonl'}'?"
    )


def test_a_template_with_a_syntax_error_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="input is not a template: "):
        dataset(jsonl(tmp_path / "a.jsonl"), input="{{ question")


def test_an_answer_that_is_no_choice_is_named(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"input": "?", "choices": ["x", "y"], "answer": "zebra"}])

    message = error_of(lambda: list(dataset(path, choices="choices", answer="answer").samples()))

    assert message.startswith("the answer 'zebra' is none of the 2 choices\n")


def test_many_lines_are_counted_and_read(tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    line = json.dumps({"input": "q" * 100, "output": "a"}) + "\n"
    with path.open("w") as file:
        for _ in range(1000):
            file.write(line * 20)

    data = dataset(path)

    assert data.size() == sum(1 for _ in data.samples()) == 20_000
