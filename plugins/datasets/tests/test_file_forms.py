"""Forms of files: documents, shards, packed files, odd CSV, and what is no data at all."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from backports import zstd
from llmeval_datasets.files.file_search import name_of
from llmeval_datasets.files.file_settings import CsvSettings, FileSettings, TableSettings
from llmeval_datasets.files.parquet import parquet_dataset
from llmeval_datasets.files.text_datasets import csv_dataset, jsonl_dataset

from llmeval_core.hooks import Dataset, DatasetError

ROWS = [{"input": "one", "output": "1"}, {"input": "two", "output": "2"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def jsonl(path: Path, content: str | bytes | None = None, **fields: Any) -> Dataset:
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return jsonl_dataset(FileSettings(path=path, **fields))


def csv(path: Path, content: str | None = None, **fields: Any) -> Dataset:
    if content is not None:
        path.write_text(content, encoding="utf-8", newline="")
    return csv_dataset(CsvSettings(path=path, **fields))


def asked(data: Dataset) -> list[str]:
    found = [sample.input_text for sample in data.samples()]
    assert data.size() in (len(found), None)
    return found


def error_of(action: Callable[[], object]) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        action()
    return caught.value


def zipped(members: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return packed.getvalue()


# --- JSON ---


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        json.dumps({"data": ROWS}),
        json.dumps({"version": "1.1", "data": ROWS, "more": {"a": [1]}}, indent=1),
        json.dumps({"rows": ROWS}),
        "\n".join(json.dumps(row, indent=2) for row in ROWS),
        "\n\n" + LINES.replace("\n", "\r\n\r\n"),
        LINES.replace("\n", "\r"),
        "\x1e" + LINES.replace("\n", "\n\x1e"),
        LINES.rstrip("\n"),
    ],
)
def test_json_has_many_forms(tmp_path: Path, content: str) -> None:
    assert asked(jsonl(tmp_path / "a.json", content)) == ["one", "two"]


def test_line_separators_within_a_text_end_no_line(tmp_path: Path) -> None:
    text = "a\u2028b\u2029c\x85d\x0be\x0cf"
    content = json.dumps({"input": text, "output": "x"}, ensure_ascii=False)
    content = content.replace("\\u000b", "\x7f").replace("\\f", "\x7f")

    assert (
        asked(jsonl(tmp_path / "a.jsonl", content + "\n" + content + "\n"))
        == ["a\u2028b\u2029c\x85d\x7fe\x7ff"] * 2
    )


def test_the_list_of_rows_can_be_named(tmp_path: Path) -> None:
    content = json.dumps({"train": [{"input": "no", "output": "x"}], "test": ROWS})
    path = tmp_path / "a.json"

    assert asked(jsonl(path, content, rows="test")) == ["one", "two"]
    assert error_of(lambda: asked(jsonl(path, content, rows="dev"))).what == (
        "the document has no list 'dev'; it has train, test"
    )


def test_one_row_that_has_a_list_called_data_is_a_row(tmp_path: Path) -> None:
    row = {"input": "one", "output": "1", "data": [{"input": "no", "output": "x"}]}

    assert asked(jsonl(tmp_path / "a.jsonl", json.dumps(row))) == ["one"]


def test_a_wrong_item_of_a_document_is_named_with_line_and_number(tmp_path: Path) -> None:
    content = '[\n{"input": "one", "output": "1"},\n{"input": null, "output": "1"}\n]'

    error = error_of(lambda: asked(jsonl(tmp_path / "a.json", content)))

    assert error.where == f"{tmp_path / 'a.json'}:3, item 2"


@pytest.mark.parametrize(
    ("content", "what", "line"),
    [
        ('[\n{"input": "a", "output": "b"},\n{oops}\n]', "not JSON: ", 3),
        ('[\n{"input": "a", "output": "b"}\n', "not JSON: ']' was expected, not the end", 3),
        ('[{"input": "a", "output": "b"}]\n[]', "not JSON: more follows after the end", 2),
        ('{"data": [\n{"input": "a", "input": "b"}]}', "not JSON that can be read: the key", 2),
        (
            json.dumps({"data": ROWS, "rows": ROWS}).replace(', "r', ',\n"r'),
            "the document has two",
            2,
        ),
    ],
)
def test_a_broken_document_is_named_with_its_line(
    tmp_path: Path, content: str, what: str, line: int
) -> None:
    error = error_of(lambda: list(jsonl(tmp_path / "a.json", content).samples()))

    assert error.what.startswith(what)
    assert error.where == f"{tmp_path / 'a.json'}:{line}"


def test_a_long_document_is_read_piece_by_piece(tmp_path: Path) -> None:
    rows = [{"input": f"q{number} " + "x" * 500, "output": "a"} for number in range(2000)]

    data = jsonl(tmp_path / "a.json", json.dumps({"data": rows}), max_line_chars=1000)

    assert len(asked(data)) == 2000


# --- CSV ---


def test_tabs_are_known_by_the_suffix_and_other_delimiters_are_asked_for(tmp_path: Path) -> None:
    assert asked(csv(tmp_path / "a.tsv", "input\toutput\none\t1\n")) == ["one"]
    assert asked(csv(tmp_path / "a.csv", "sep=;\r\ninput;output\r\none;1\r\n")) == ["one"]
    assert asked(csv(tmp_path / "b.csv", "input\toutput\none\t1\n", delimiter="tab")) == ["one"]
    error = error_of(lambda: asked(csv(tmp_path / "c.csv", "input;output\none;1\n")))
    assert str(error) == (
        "the header has one column, 'input;output'\n"
        f"  where: {tmp_path / 'c.csv'}:1\n"
        "  try:   set `delimiter: ';'`"
    )


def test_a_field_may_be_longer_than_the_csv_module_likes(tmp_path: Path) -> None:
    text = "x" * 300_000

    assert asked(csv(tmp_path / "a.csv", f"input,output\n{text},1\n")) == [text]


def test_headers_are_read_as_people_mean_them(tmp_path: Path) -> None:
    content = '\ufeff input ,"the (right) answer.",\nwhat,x,\n\n,,\n'

    data = csv(tmp_path / "a.csv", content, references="the (right) answer.")

    assert asked(data) == ["what"]


def test_a_column_that_comes_twice_is_named(tmp_path: Path) -> None:
    content = "input,answer,answer\n?,x,y\n"

    error = error_of(lambda: asked(csv(tmp_path / "a.csv", content)))
    renamed = csv(tmp_path / "a.csv", content, columns=["input", "answer", "other"])

    assert error.what == "the column 'answer' comes twice (columns 2, 3)"
    assert error.where == f"{tmp_path / 'a.csv'}:1"
    assert asked(renamed) == ["?"]


def test_columns_of_another_number_are_named(tmp_path: Path) -> None:
    content = "a,b\nc,d\n"

    error = error_of(lambda: asked(csv(tmp_path / "a.csv", content, columns=["input"])))

    assert error.what == "`columns` has 1 names, the line has 2 fields"


@pytest.mark.parametrize(
    ("line", "what", "row"),
    [
        ("a,b,c", "3 fields, the header has 2", 3),
        ('a,"b', "a quote is opened and never closed", 3),
        ('"a"x,b', "not CSV: ',' expected after '\"'", 3),
    ],
)
def test_a_row_that_is_no_csv_is_named_with_its_first_line(
    tmp_path: Path, line: str, what: str, row: int
) -> None:
    content = f"input,output\nfine,1\n{line}\nmore,2\n"

    error = error_of(lambda: list(csv(tmp_path / "a.csv", content).samples()))

    assert error.what == what
    assert error.where == f"{tmp_path / 'a.csv'}:{row}"


def test_a_row_over_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    content = 'input,output\n"one\n\nmore",1\n"two\nlines",\n'

    error = error_of(lambda: list(csv(tmp_path / "a.csv", content).samples()))

    assert error.where == f"{tmp_path / 'a.csv'}:5"


def test_quotes_may_have_no_meaning(tmp_path: Path) -> None:
    content = 'input\toutput\n5" tall\t"x\n'

    assert asked(csv(tmp_path / "a.tsv", content, quote=None)) == ['5" tall']


# --- several files ---


def test_shards_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        table = pa.table({"input": [f"q{number}"], "output": ["a"]})
        pyarrow.parquet.write_table(table, tmp_path / f"test-{number}-of-10.parquet")
    (tmp_path / "_SUCCESS").touch()

    by_pattern = parquet_dataset(TableSettings(path=tmp_path / "test-*.parquet"))
    by_folder = parquet_dataset(TableSettings(path=tmp_path))

    assert asked(by_pattern) == asked(by_folder) == ["q1", "q9", "q10"]
    assert [sample.id for sample in by_folder.samples()] == ["0", "1", "2"]
    assert by_pattern.name == "test"
    assert by_pattern.fingerprint() == by_folder.fingerprint()


def test_a_folder_with_files_of_several_kinds_is_not_mixed(tmp_path: Path) -> None:
    for name in ("test-0", "test-1", "train-0"):
        (tmp_path / f"{name}.jsonl").write_text(LINES)

    error = error_of(lambda: jsonl(tmp_path))

    assert error.what == "the folder has files of several kinds: test-*.jsonl, train-*.jsonl"
    assert len(asked(jsonl(tmp_path / "test-*.jsonl"))) == 4


def test_a_row_of_a_shard_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "a-0.jsonl").write_text(LINES)
    (tmp_path / "a-1.jsonl").write_text(LINES + '{"input": ""}\n')

    error = error_of(lambda: list(jsonl(tmp_path / "a-[0-9].jsonl").samples()))

    assert error.where == f"{tmp_path / 'a-1.jsonl'}:3"


@pytest.mark.parametrize(
    ("pattern", "what"),
    [("none/*.jsonl", "no file matches '"), ("empty", "the folder has no file that ends in ")],
)
def test_a_pattern_or_a_folder_without_a_file_is_named(
    tmp_path: Path, pattern: str, what: str
) -> None:
    (tmp_path / "empty").mkdir()

    assert error_of(lambda: jsonl(tmp_path / pattern)).what.startswith(what)


def test_a_file_whose_name_looks_like_a_pattern_is_the_file(tmp_path: Path) -> None:
    assert asked(jsonl(tmp_path / "a[1]*.jsonl", LINES)) == ["one", "two"]


# --- packed files ---

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
    "zip": lambda content: zipped({"a.jsonl": content.decode(), "__MACOSX/a": "x"}),
}


@pytest.mark.parametrize("suffix", PACKED)
def test_packed_files_are_read_whatever_they_are_called(tmp_path: Path, suffix: str) -> None:
    packed = PACKED[suffix](LINES.encode())
    plain = jsonl(tmp_path / "a.jsonl", LINES)

    for name in (f"a.jsonl.{suffix}", "b.jsonl"):
        data = jsonl(tmp_path / name, packed)

        assert asked(data) == ["one", "two"]
        assert data.fingerprint() == plain.fingerprint()


@pytest.mark.parametrize("suffix", PACKED)
def test_a_packed_file_that_is_cut_is_named(tmp_path: Path, suffix: str) -> None:
    content = "".join(f'{{"input": "q{number * 7919}", "output": "a"}}\n' for number in range(9999))
    packed = PACKED[suffix](content.encode())

    error = error_of(lambda: asked(jsonl(tmp_path / "a.jsonl", packed[: len(packed) // 2])))

    assert error.where is not None
    assert error.where.startswith(str(tmp_path / "a.jsonl"))


@pytest.mark.parametrize("suffix", PACKED)
def test_a_file_that_unpacks_to_too_much_is_stopped(tmp_path: Path, suffix: str) -> None:
    packed = PACKED[suffix](LINES.encode() + b"\n" * 10_000_000)

    error = error_of(
        lambda: asked(jsonl(tmp_path / "a.jsonl", packed, max_unpacked_bytes=1_000_000))
    )

    assert "unpacks to more than 1000000 bytes; `max_unpacked_bytes` allows more" in error.what


@pytest.mark.parametrize("read", [jsonl, csv])
def test_a_line_that_is_too_long_is_stopped(tmp_path: Path, read: Callable[..., Dataset]) -> None:
    path = tmp_path / "a.txt"
    path.write_text(("input,output\n" if read is csv else LINES) + "x" * 5000 + "\n")

    error = error_of(lambda: list(read(path, max_line_chars=1000).samples()))

    assert error.what == "the line has more than 1000 characters"
    assert error.where == f"{path}:{2 if read is csv else 3}"


# --- what is no data ---

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1234567\n"


def tar() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.jsonl"), io.BytesIO(b""))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (
            LFS.encode(),
            "this is a Git LFS pointer, not the file of 1,234,567 bytes",
            "git lfs pull",
        ),
        (b"/annex/objects/SHA256E-s1--ab.jsonl\n", "this is a git-annex pointer", "git annex get"),
        (b"\n<!DOCTYPE html>\n<html><body>Log in</body></html>", "this is a web page", "a page"),
        (b'<?xml version="1.0"?><Error/>', "this is an XML document", "a page"),
        (b"PAR1\x15\x04\x15", "this is a Parquet file", "use `parquet:`"),
        (b"SQLite format 3\0" + b"\0" * 50, "this is an SQLite database", "CSV"),
        (b"%PDF-1.7\n", "this is a PDF file", "CSV"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "this is a 7-Zip archive", "unpack it"),
        (tar(), "this is a tar archive", "unpack it"),
        (gzip.compress(tar()), "this is a tar archive", "unpack it"),
        (
            zipped({"[Content_Types].xml": "", "xl/a": ""}),
            "this is an Office file",
            "save it as",
        ),
        (zipped({"a": "", "b": ""}), "the archive has 2 files: a, b", "unpack it"),
        (zipped({}), "the archive has 0 files: none", "unpack it"),
        (b"\x80\x04\x95\x10\0\0\0", "this is a Python pickle", "JSON Lines"),
        (b'{"input": "a"}\n\0\0\1\2\3', "this is a binary file", "check the path"),
        (b"", "there is no row", "check the path"),
        (b" \n\r\n\n", "there is no row", "check the path"),
        (b"\xef\xbb\xbf", "there is no row", "check the path"),
    ],
)
@pytest.mark.parametrize("read", [jsonl, csv])
def test_what_is_no_data_is_named(
    tmp_path: Path, read: Callable[..., Dataset], content: bytes, what: str, hint: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)

    error = error_of(lambda: list(read(path).samples()))

    assert error.what.startswith(what)
    assert hint in str(error.hint)
    assert str(error.where).startswith(str(path))


def test_a_header_without_rows_is_named(tmp_path: Path) -> None:
    error = error_of(lambda: list(csv(tmp_path / "a.csv", "input,output\n").samples()))

    assert error.what == "there is no row"


def test_a_link_to_nothing_and_a_device_are_named(tmp_path: Path) -> None:
    link = tmp_path / "a.jsonl"
    link.symlink_to("gone.jsonl")

    assert error_of(lambda: asked(jsonl(link))).what == (
        "the file is a link to 'gone.jsonl', which is not there"
    )
    assert "is an address" in error_of(lambda: asked(jsonl(Path("https://x.org/a.jsonl")))).what
    assert "a device or pipe" in error_of(lambda: asked(jsonl(Path("/dev/null")))).what


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (LFS.encode(), "this is a Git LFS pointer"),
        (b"<html>", "this is a web page"),
        (b"", "the file is empty"),
        (LINES.encode(), "this is no Parquet file"),
        (b"PAR1" + b"\0" * 100, "cannot read the Parquet file: "),
    ],
)
def test_what_is_no_parquet_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(content)

    error = error_of(lambda: list(parquet_dataset(TableSettings(path=path)).samples()))

    assert error.what.startswith(what)
    assert str(error.where).startswith(str(path))


def test_parquet_that_is_damaged_within_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"input": [f"q{n * 7919}" for n in range(9000)], "output": ["a"] * 9000})
    pyarrow.parquet.write_table(table, path, row_group_size=3000, use_dictionary=False)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(bytes(content))

    error = error_of(lambda: list(parquet_dataset(TableSettings(path=path)).samples()))

    assert error.what.startswith("cannot read the Parquet file on: ")
    assert ", row " in str(error.where)


def test_parquet_columns_that_come_twice_are_named(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"])] * 2, names=["input", "input"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")

    data = parquet_dataset(TableSettings(path=tmp_path / "a.parquet"))

    assert error_of(lambda: list(data.samples())).what == "the column 'input' comes twice"


def test_a_folder_in_place_of_a_file_of_examples_is_named(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()

    error = error_of(lambda: jsonl(tmp_path / "a.jsonl", LINES, few_shot_file=tmp_path / "more"))

    assert error.where == str(tmp_path / "more")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("faq.jsonl", "faq"),
        ("faq.jsonl.gz", "faq"),
        ("FAQ.JSONL.GZ", "FAQ"),
        ("faq.v2.jsonl", "faq_v2"),
        ("v1.2.jsonl", "v1_2"),
        ("v1.3.jsonl.zst", "v1_3"),
        ("質問.test.csv", "質問_test"),
        (".jsonl", "jsonl"),
        ("sets/*.jsonl", "sets"),
    ],
)
def test_a_data_set_is_called_as_its_file_without_the_suffix(path: str, name: str) -> None:
    assert name_of(Path(path)) == name
