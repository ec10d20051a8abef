"""Tables of text, at any width and in any script."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from llmeval_core.cli.tables import Column, Table
from llmeval_core.cli.wrapping import wrap

JAPANESE = "これは日本語の文章を要約する課題です。長い説明は折り返されます。"


def make_table(*, is_boxed: bool = False) -> Table:
    columns = [Column("name"), Column("summary", wraps=True), Column("n", "right")]
    table = Table(columns, is_boxed=is_boxed)
    table.add("capitals", "capitals of the world, as a question each", "24")
    table.add("日本語の要約", JAPANESE, "1,000")
    return table


def test_columns_stand_under_their_headings() -> None:
    assert make_table().lines(100) == [
        "name          summary                                                               n",
        "capitals      capitals of the world, as a question each                            24",
        f"日本語の要約  {JAPANESE}  1,000",
    ]


def test_text_is_wrapped_to_the_width_between_words_and_wide_characters() -> None:
    assert make_table(is_boxed=True).lines(50) == [
        "┏━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━┓",
        "┃ name         ┃ summary                 ┃     n ┃",
        "┡━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━┩",
        "│ capitals     │ capitals of the world,  │    24 │",
        "│              │ as a question each      │       │",
        "│ 日本語の要約 │ これは日本語の文章を要  │ 1,000 │",
        "│              │ 約する課題です。長い説  │       │",
        "│              │ 明は折り返されます。    │       │",
        "└──────────────┴─────────────────────────┴───────┘",
    ]


def test_rows_become_records_where_columns_do_not_fit() -> None:
    assert make_table().lines(30) == [
        "capitals",
        "  summary: capitals of the",
        "    world, as a question each",
        "  n: 24",
        "日本語の要約",
        "  summary: これは日本語の文",
        "    章を要約する課題です。長い",
        "    説明は折り返されます。",
        "  n: 1,000",
    ]


@pytest.mark.parametrize("width", range(1, 120, 7))
@pytest.mark.parametrize("is_boxed", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, is_boxed: bool) -> None:
    lines = make_table(is_boxed=is_boxed).lines(width)

    assert max(cell_len(line) for line in lines) <= max(width, 14)


def test_a_long_word_is_broken_in_a_column_and_kept_for_copying_in_a_record() -> None:
    table = Table([Column("name"), Column("where", wraps=True)])
    table.add("a", "https://example.com/" + "x" * 40)

    assert table.lines(40) == [
        "name  where",
        "a     https://example.com/xxxxxxxxxxxxxx",
        "      xxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]
    assert table.lines(20) == ["a", "  where:", "    https://example.com/" + "x" * 40]


def test_rows_with_one_first_cell_can_stand_below_it() -> None:
    columns = [Column("model"), Column("task"), Column("to\nsend", "right")]
    table = Table(columns, is_boxed=True)
    for model in ("server/日本語モデル", "server/b"):
        table.add(model, "a_0shot", "20")
        table.add(model, "b_0shot", "1,000")

    assert table.grouped_lines(20) == [
        "              to",
        "  task      send",
        "server/日本語モデル",
        "  a_0shot     20",
        "  b_0shot  1,000",
        "server/b",
        "  a_0shot     20",
        "  b_0shot  1,000",
    ]
    assert table.grouped_lines(12)[:3] == ["server/日本", "語モデル", "  task:"]


def test_numbers_of_a_record_share_a_line() -> None:
    table = Table([Column("name"), Column("n", "right"), Column("to\nsend", "right")])
    table.add("a" * 30, "20", "1,000")

    assert table.lines(30) == ["a" * 30, "  n: 20 · to send: 1,000"]


def test_boxes_can_be_drawn_in_ascii() -> None:
    table = Table([Column("name")], is_boxed=True)
    table.add("a")

    assert table.lines(80, is_ascii=True) == [
        "+------+",
        "| name |",
        "|------|",
        "| a    |",
        "+------+",
    ]


def test_punctuation_does_not_begin_a_line() -> None:
    assert wrap("短い文です。", 10) == ["短い文で", "す。"]
