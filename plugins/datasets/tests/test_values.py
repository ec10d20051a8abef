"""Values: each has one form as text, or is named with its file, its line and its column.

Case d01-values-become-python-text.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmeval_datasets.files.file_settings import CsvSettings, FileSettings, TableSettings
from llmeval_datasets.files.parquet import parquet_dataset
from llmeval_datasets.files.text_datasets import csv_dataset, jsonl_dataset
from llmeval_datasets.rows.values import FieldError, text_of

from llmeval_core.hooks import Dataset, DatasetError, Sample

# As in the case d01: what stands in the file, and what is said of it.
D01 = [
    ('{"input": [{"role": "user", "content": "?"}], "answer": "P"}', "input is a list of 1, not"),
    ('{"input": null, "answer": "x"}', "input is null, not a text"),
    ('{"input": "a", "answer": NaN}', "references (column 'answer') is NaN, not a text"),
    ('{"input": {"a": 1}, "answer": "x"}', "input is an object with a, not a text"),
    (
        '{"input": "a", "answer": [null, {"k": 1}]}',
        "references (column 'answer') has an item, number 1, that is null, not a text",
    ),
    (
        '{"input": "Who?", "answer": {"text": ["Paris"], "answer_start": [3]}}',
        "references (column 'answer') is an object with text, answer_start, not a text",
    ),
]


def jsonl(folder: Path, *lines: str, **fields: Any) -> Dataset:
    path = folder / "a.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    return jsonl_dataset(FileSettings(path=path, **fields))


def error_of(action: Callable[[], object]) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        action()
    return caught.value


@pytest.mark.parametrize(("line", "what"), D01)
def test_d01_values_become_python_text_no_more(tmp_path: Path, line: str, what: str) -> None:
    data = jsonl(tmp_path, '{"input": "fine", "answer": "fine"}', line)

    error = error_of(lambda: list(data.samples()))

    assert error.what.startswith(what)
    assert error.where == f"{tmp_path / 'a.jsonl'}:2"


def test_d01_values_become_python_text_true_is_true_and_whole_numbers_have_no_point(
    tmp_path: Path,
) -> None:
    data = jsonl(
        tmp_path,
        '{"input": "true", "answer": true}',
        '{"input": 1.0, "answer": [0.10, 12345678901234567890, 1e-7, 1e21, -0.0]}',
    )

    first, second = data.samples()

    assert first.references == ("true",)
    assert second.input == "1"
    assert second.references == ("0.1", "12345678901234567890", "1e-7", "1e+21", "0")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (decimal.Decimal("1.50"), "1.50"),
        (datetime.date(2026, 11, 27), "2026-11-27"),
        (datetime.datetime(2026, 11, 27, 8, 5), "2026-11-27T08:05:00"),
        (datetime.time(8, 5), "08:05:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (numpy.int64(7), "7"),
        (numpy.float64(2.0), "2"),
        (numpy.float32(0.5), "0.5"),
        (numpy.bool_(1), "true"),
        (numpy.str_("x"), "x"),
        (0.00001, "0.00001"),
        (123456789012345680.0, "123456789012345680"),
        (1.5e300, "1.5e+300"),
    ],
)
def test_each_type_has_one_form(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "is null"),
        (math.nan, "is NaN"),
        (-math.inf, "is infinite"),
        (numpy.float32("nan"), "is NaN"),
        (decimal.Decimal("NaN"), "is NaN"),
        (decimal.Decimal("Infinity"), "is infinite"),
        (b"abc", "is binary data (3 bytes)"),
        ([1], "is a list of 1"),
        ({"a": 1}, "is an object with a"),
        ({}, "is an empty object"),
        (datetime.timedelta(1), "is a duration"),
        (numpy.datetime64(5, "ns"), "is a value of type datetime64"),
        (numpy.array([1, 2]), "is a list of 2"),
        pytest.param(10**5000, "is a number with thousands of digits", id="long"),
        pytest.param("\ud800", "has half a character", id="surrogate"),
        (object(), "is a value of type object"),
    ],
)
def test_what_is_no_text_is_refused_in_the_words_of_files(value: object, what: str) -> None:
    with pytest.raises(FieldError) as caught:
        text_of(value)

    assert str(caught.value).startswith(what)


@pytest.mark.parametrize("value", ["", "   ", "\\n\\u3000"])
def test_an_empty_input_is_named(tmp_path: Path, value: str) -> None:
    data = jsonl(tmp_path, f'{{"question": "{value}", "answer": "x"}}')

    assert error_of(lambda: list(data.samples())).what == "input (column 'question') is empty"


@pytest.mark.parametrize("value", ["null", '""', "[]", '["a", " "]', "NaN"])
def test_empty_references_are_named_unless_they_are_allowed(tmp_path: Path, value: str) -> None:
    line = f'{{"input": "?", "answer": {value}}}'

    error = error_of(lambda: list(jsonl(tmp_path, line).samples()))

    assert error.what.startswith("references (column 'answer') ")
    if value != "NaN":
        (sample,) = jsonl(tmp_path, line, empty_references="allow").samples()
        assert sample.references in ((), ("",), ("a", " "))


def test_a_row_without_references_may_be_allowed(tmp_path: Path) -> None:
    (sample,) = jsonl(tmp_path, '{"input": "?"}', empty_references="allow").samples()

    assert sample.references == ()


def test_a_category_that_is_missing_is_no_category(tmp_path: Path) -> None:
    groups = ["null", '""', "7"]
    rows = [f'{{"input": "?", "answer": "x", "group": {group}}}' for group in groups]

    samples = list(jsonl(tmp_path, *rows, category="group").samples())

    assert [sample.category for sample in samples] == [None, None, "7"]


def test_templates_show_values_in_the_same_forms(tmp_path: Path) -> None:
    data = jsonl(
        tmp_path,
        '{"n": 2.0, "yes": true, "tags": ["a", 1.0], "answer": "x", "a b": "c"}',
        input="{{ n }} {{ yes }} {{ tags | join('/') }} {{ row['a b'] }}",
    )

    (sample,) = data.samples()

    assert sample.input == "2 true a/1 c"


@pytest.mark.parametrize("value", ["null", '["a"]', '{"a": 1}', "NaN"])
def test_a_template_with_a_value_that_is_no_text_fails(tmp_path: Path, value: str) -> None:
    data = jsonl(tmp_path, f'{{"q": {value}, "answer": "x"}}', input="Q: {{ q }}")

    error = error_of(lambda: list(data.samples()))

    assert error.what.startswith("the template of input fails: a value is ")


def test_metadata_is_json_whatever_a_column_holds(tmp_path: Path) -> None:
    table = pa.table(
        {
            "input": ["?"],
            "answer": ["x"],
            "when": [datetime.date(2026, 1, 2)],
            "price": [decimal.Decimal("1.50")],
            "gone": [math.nan],
            "deep": [{"a": [1.0, None]}],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    names = ["when", "price", "gone", "deep"]

    (sample,) = parquet_dataset(
        TableSettings(path=tmp_path / "a.parquet", metadata=names)
    ).samples()

    assert sample.metadata == {
        "when": "2026-01-02",
        "price": "1.50",
        "gone": None,
        "deep": {"a": [1.0, None]},
    }


def test_binary_metadata_is_named(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(
        pa.table({"input": ["?"], "answer": ["x"], "raw": [b"x"]}), tmp_path / "a.parquet"
    )
    data = parquet_dataset(TableSettings(path=tmp_path / "a.parquet", metadata=["raw"]))

    error = error_of(lambda: list(data.samples()))

    assert error.what == "metadata.raw (column 'raw') is binary data (1 bytes), not a text"
    assert error.where == f"{tmp_path / 'a.parquet'}, row 1"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"input": "a", "input": "b"}', "the key 'input' comes twice in an object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"input": ' + "9" * 5000 + "}", "not JSON that can be read"),
        ('{"input": "a"} {"input": "b"}', "more than one JSON value in the line, from column 16"),
    ],
)
def test_json_that_python_cannot_hold_is_a_bad_row(tmp_path: Path, line: str, what: str) -> None:
    data = jsonl(tmp_path, '{"input": "fine", "answer": "fine"}', line)

    error = error_of(lambda: list(data.samples()))

    assert what in error.what
    assert error.where == f"{tmp_path / 'a.jsonl'}:2"


def test_half_precision_and_single_precision_numbers_keep_their_digits(tmp_path: Path) -> None:
    table = pa.table(
        {
            "input": pa.array([0.1], pa.float32()),
            "answer": pa.array([[0.7, 2.0]], pa.list_(pa.float32())),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")

    (sample,) = parquet_dataset(TableSettings(path=tmp_path / "a.parquet")).samples()

    assert (sample.input, sample.references) == ("0.1", ("0.7", "2"))


def test_a_value_that_python_cannot_hold_spoils_its_own_field_only(tmp_path: Path) -> None:
    table = pa.table(
        {
            "input": ["one", "two"],
            "answer": ["1", "2"],
            "when": pa.array([0, 9 * 10**15], pa.timestamp("ms")),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    path = tmp_path / "a.parquet"

    plain = list(parquet_dataset(TableSettings(path=path)).samples())
    data = parquet_dataset(TableSettings(path=path, references="when"))

    assert [sample.input for sample in plain] == ["one", "two"]
    assert "a timestamp[ms] that cannot be read" in error_of(lambda: list(data.samples())).what


# Without the letters of Python's own None, True, False, nan and inf.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="NTFni"), max_size=5)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)
ARROW_COLUMNS: list[st.SearchStrategy[Any]] = [
    st.lists(values, min_size=1, max_size=4)
    for values in (
        st.booleans() | st.none(),
        st.integers(-(2**63), 2**63 - 1) | st.none(),
        st.floats() | st.none(),
        TEXTS | st.none(),
        st.binary(max_size=5) | st.none(),
        st.dates() | st.none(),
        st.datetimes() | st.none(),
        st.timedeltas(datetime.timedelta(-1000), datetime.timedelta(1000)) | st.none(),
        st.decimals(-(10**9), 10**9, places=3) | st.none(),
        st.lists(TEXTS | st.none(), max_size=3) | st.none(),
        st.lists(st.integers(-9, 9), max_size=3),
        st.fixed_dictionaries({"text": st.lists(TEXTS), "label": st.lists(TEXTS)}),
        st.none(),
    )
]
ROLES = ("input", "references", "choices", "answer", "id", "category", "metadata", "labels")


def check(data: Dataset) -> None:
    """Read to the end or to an error of ours; whatever comes has the types that it should."""
    samples, error = read(data)
    assert error is None or error.where
    for sample in samples:
        texts = (sample.id, sample.input, *sample.references, *sample.choices)
        assert all(type(text) is str for text in texts)
        assert sample.input_text.strip()
        assert sample.category is None or type(sample.category) is str
        assert sample.answer is None or 0 <= sample.answer < len(sample.choices)
        json.dumps(dict(sample.metadata), allow_nan=False)
        python = ("None", "True", "False", "nan", "inf")
        assert not any(text in python for text in (sample.input, *sample.references))


def read(data: Dataset) -> tuple[list[Sample], DatasetError | None]:
    """Return the samples until the end or the first error."""
    samples: list[Sample] = []
    try:
        samples.extend(data.samples())
    except DatasetError as err:
        return samples, err
    return samples, None


def fields(role: str) -> dict[str, Any]:
    """Give the settings in which one column has this role."""
    found: dict[str, Any] = {"input": "fixed", "references": "fixed"}
    if role in ("choices", "answer", "labels"):
        found |= {"choices": ["{{ fixed }}", "other"], "answer": "fixed"}
    return {**found, role: ["value"] if role == "metadata" else "value"}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(role=st.sampled_from(ROLES), values=st.lists(JSON_VALUES, min_size=1, max_size=3))
def test_every_json_value_in_every_role_is_a_sample_of_texts_or_named(
    tmp_path: Path, role: str, values: list[Any]
) -> None:
    lines = [json.dumps({"fixed": "x", "value": value}) for value in values]

    check(jsonl(tmp_path, *lines, **fields(role)))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(role=st.sampled_from(ROLES), values=st.one_of(ARROW_COLUMNS))
def test_every_parquet_value_in_every_role_is_a_sample_of_texts_or_named(
    tmp_path: Path, role: str, values: list[Any]
) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"fixed": ["x"] * len(values), "value": pa.array(values)})
    pyarrow.parquet.write_table(table, path)

    check(parquet_dataset(TableSettings(path=path, **fields(role))))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(
            *[st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)] * 2
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_asked_is_what_stands_in_the_file(
    tmp_path: Path, rows: list[tuple[str, str]]
) -> None:
    kept = [row for row in rows if all(text.strip() for text in row)]
    if not kept:
        return
    table = [{"input": asked, "output": wanted} for asked, wanted in kept]
    pyarrow.parquet.write_table(pa.Table.from_pylist(table), tmp_path / "a.parquet")
    quoted = [
        ",".join('"' + text.replace('"', '""') + '"' for text in row.values()) for row in table
    ]
    (tmp_path / "a.csv").write_bytes("\n".join(["input,output", *quoted]).encode())

    as_json = jsonl(tmp_path, *(json.dumps(row, ensure_ascii=False) for row in table)).samples()
    as_csv = csv_dataset(CsvSettings(path=tmp_path / "a.csv")).samples()
    as_parquet = parquet_dataset(TableSettings(path=tmp_path / "a.parquet")).samples()

    for samples in (as_json, as_csv, as_parquet):
        assert [(each.input, each.references) for each in samples] == [(a, (b,)) for a, b in kept]
