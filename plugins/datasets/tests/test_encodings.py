"""Encodings, marks and bytes that are no text: read as what they are, or named with the line."""

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
from pydantic import ValidationError

from llmeval_core.hooks import Dataset, DatasetError

CSV = "question,answers\n日本の首都は？,東京\nイ,ロ\n"
ASKED = ["日本の首都は？", "イ"]


def csv(folder: Path, content: bytes, **fields: Any) -> Dataset:
    path = folder / "a.csv"
    path.write_bytes(content)
    return csv_dataset(CsvSettings(path=path, **fields))


def asked(data: Dataset) -> list[str]:
    return [sample.input_text for sample in data.samples()]


def error_of(action: Callable[[], object]) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        action()
    return caught.value


@pytest.mark.parametrize(
    "encoding", ["cp932", "shift_jis", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-32-be"]
)
def test_d05_excel_encodings_can_be_set(tmp_path: Path, encoding: str) -> None:
    data = csv(tmp_path, CSV.encode(encoding), encoding=encoding)

    assert asked(data) == ASKED
    assert data.size() == 2


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le-mark", "utf-16-be-mark"]
)
def test_d05_excel_encodings_with_a_mark_need_no_setting(tmp_path: Path, encoding: str) -> None:
    if encoding.endswith("-mark"):
        content = ("\ufeff" + CSV).encode(encoding.removesuffix("-mark"))
    else:
        content = CSV.encode(encoding)

    assert asked(csv(tmp_path, content)) == ASKED


def test_d05_excel_encodings_are_named_with_line_and_hint(tmp_path: Path) -> None:
    error = error_of(lambda: asked(csv(tmp_path, CSV.encode("cp932"))))

    assert str(error) == (
        "the text is not utf-8 (byte 0x93, invalid start byte)\n"
        f"  where: {tmp_path / 'a.csv'}:2\n"
        "  try:   it is probably cp932: set `encoding: cp932`"
    )


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp932", "日本,東京"),
        ("euc_jp", "富士山の高さは？,3776メートルです"),
        ("cp1252", "Où est la Tour Eiffel ?,à Paris"),
        ("gb18030", "中国的首都是哪里？,北京"),
        ("big5", "中國的首都是哪裡？,台灣的首都"),
        ("euc_kr", "한국의 수도는 어디입니까?,서울"),
        ("cp1251", "Какая столица России?,Москва"),
    ],
)
def test_the_likely_encoding_is_named(tmp_path: Path, encoding: str, text: str) -> None:
    content = "question,answers\n" + text + "\n"

    error = error_of(lambda: asked(csv(tmp_path, content.encode(encoding))))

    assert error.hint == f"it is probably {encoding}: set `encoding: {encoding}`"
    assert error.where == f"{tmp_path / 'a.csv'}:2"


def test_a_wrong_setting_is_named_with_what_is_likely(tmp_path: Path) -> None:
    content = "question,answers\n①髙島屋はどこ？,日本橋\n".encode("cp932")

    error = error_of(lambda: asked(csv(tmp_path, content, encoding="euc_jp")))

    assert error.what.startswith("the text is not euc_jp (byte ")
    assert error.hint == "it is probably cp932: set `encoding: cp932`"


def test_a_late_byte_is_named_with_its_own_line(tmp_path: Path) -> None:
    lines = ["question,answers", *(f"q{number},a" for number in range(30_000))]
    content = "\n".join(lines).encode() + b"\nbad \xff,a\n"

    error = error_of(lambda: asked(csv(tmp_path, content)))

    assert error.where == f"{tmp_path / 'a.csv'}:30002"


def test_a_mark_that_contradicts_the_setting_is_named(tmp_path: Path) -> None:
    error = error_of(lambda: asked(csv(tmp_path, CSV.encode("utf-8-sig"), encoding="cp932")))

    assert str(error) == (
        "the file begins with the mark (BOM) of UTF-8, `encoding` says cp932\n"
        f"  where: {tmp_path / 'a.csv'}:1\n"
        "  try:   leave `encoding` out"
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_named(tmp_path: Path, encoding: str) -> None:
    text = "question,answers\nWhat is the capital?,Paris\n"

    error = error_of(lambda: asked(csv(tmp_path, text.encode(encoding))))

    assert error.what == "this is UTF-16 without a mark (BOM)"
    assert error.hint == f"set `encoding: {encoding}`"


@pytest.mark.parametrize("encoding", ["no-such", "rot13", "base64", "hex", ""])
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(ValidationError, match="is no encoding; usual ones: utf-8, cp932"):
        CsvSettings(path=tmp_path, encoding=encoding)


def test_a_text_that_is_cut_in_a_character_is_named(tmp_path: Path) -> None:
    error = error_of(lambda: asked(csv(tmp_path, CSV.encode()[:-2])))

    assert error.what.startswith("the text is not utf-8 (")
    assert error.where == f"{tmp_path / 'a.csv'}:3"


def test_json_lines_may_be_in_any_encoding_and_have_marks_between(tmp_path: Path) -> None:
    line = json.dumps({"input": "日本", "output": "x"}, ensure_ascii=False) + "\r\n"
    path = tmp_path / "a.jsonl"
    for encoding, setting in (("utf-8-sig", None), ("utf-16", None), ("euc_jp", "euc_jp")):
        parts = (
            [line.encode(encoding)] * 2
            if encoding == "utf-8-sig"
            else [(line * 2).encode(encoding)]
        )
        path.write_bytes(b"".join(parts))
        data = jsonl_dataset(FileSettings(path=path, encoding=setting))

        assert asked(data) == ["日本", "日本"]
        assert data.size() == 2


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-16"))
)
def test_any_bytes_are_rows_or_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl"
    for start in (b"", b'{"input": "a", "output": "b"}\n', b"[", b'{"data": [{'):
        path.write_bytes(start + content)
        for data in (
            jsonl_dataset(FileSettings(path=path)),
            csv_dataset(CsvSettings(path=path)),
            csv_dataset(CsvSettings(path=path, encoding="cp932", on_error="skip")),
        ):
            where = where_it_ends(data)
            assert where is None or str(path) in where


def where_it_ends(data: Dataset) -> str | None:
    """Read to the end, or return where the error of ours is."""
    try:
        assert all(sample.input for sample in data.samples())
    except DatasetError as err:
        return err.where or ""
    return None


@pytest.mark.parametrize("encoding", ["iso2022_jp", "iso2022_kr"])
def test_iso_2022_is_no_utf_8_though_its_bytes_are_ascii(tmp_path: Path, encoding: str) -> None:
    """d05-excel-encodings: of the same kind."""
    text = {"iso2022_jp": "首都は東京です", "iso2022_kr": "수도는 서울"}[encoding]
    content = f"question,answers\nx,x\n{text},x\n".encode(encoding)

    error = error_of(lambda: asked(csv(tmp_path, content)))

    assert f"set `encoding: {encoding}`" == error.hint
    assert asked(csv(tmp_path, content, encoding=encoding)) == ["x", text]
