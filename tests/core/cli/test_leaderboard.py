"""The leaderboard where names and numbers are odd."""

from __future__ import annotations

from rich.cells import cell_len

from llmeval_core.api.leaderboard import Leaderboard, cell_text, to_csv, to_markdown
from llmeval_core.cli.leaderboard_printing import leaderboard_lines
from llmeval_core.records import Aggregate, MetricResult


def make_cell(key: str, aggregate: Aggregate) -> MetricResult:
    return MetricResult(
        key=key,
        metric="exact",
        definition="exact@1",
        higher_is_better=True,
        category=None,
        aggregate=aggregate,
    )


def make_board(*models: str, keys: tuple[str, ...] = ("a_0shot_exact",)) -> Leaderboard:
    cells = {
        (model, key): make_cell(key, Aggregate(value=0.5, stderr=0.1))
        for model in models
        for key in keys
    }
    return Leaderboard(models, keys, cells)


def printed(board: Leaderboard, width: int) -> str:
    return "\n".join(leaderboard_lines(board, width))


def test_a_cell_has_value_error_and_failures() -> None:
    aggregate = Aggregate(value=0.32, stderr=0.066, n_scored=48, n_failed=2)

    assert cell_text(make_cell("k", aggregate)) == "0.320 ±0.066 (2 failed)"


def test_an_unknown_value_is_a_dash_and_a_missing_one_is_empty() -> None:
    assert cell_text(make_cell("k", Aggregate(value=None))) == "–"
    assert cell_text(None) == ""


def test_models_are_columns_where_the_table_would_be_too_wide() -> None:
    board = make_board("m/a", keys=tuple(f"set{i}_0shot_exact" for i in range(6)))

    wide, narrow = printed(board, 120), printed(board, 40)

    assert "│ m/a   │" in wide
    assert "│ set5_0shot_exact │   │ 0.500 ±0.100 │" in narrow


def test_keys_are_broken_where_names_and_numbers_would_not_fit() -> None:
    keys = ("commonsense_qa_0shot_exact", "commonsense_qa_5shot_exact", "b_0shot_exact")
    board = make_board("m/a", "m/b", keys=keys)

    assert printed(board, 55) == (
        "┏━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┓\n"
        "┃ metric key           ┃          m/a ┃          m/b ┃\n"
        "┡━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━┩\n"
        "│ commonsense_qa_0shot │ 0.500 ±0.100 │ 0.500 ±0.100 │\n"
        "│   exact              │              │              │\n"
        "│ commonsense_qa_5shot │ 0.500 ±0.100 │ 0.500 ±0.100 │\n"
        "│   exact              │              │              │\n"
        "│ b_0shot              │ 0.500 ±0.100 │ 0.500 ±0.100 │\n"
        "│   exact              │              │              │\n"
        "└──────────────────────┴──────────────┴──────────────┘"
    )


def test_many_models_and_keys_are_several_tables() -> None:
    models = tuple(f"server/日本語モデル-{i}b" for i in range(9))
    board = make_board(*models, keys=tuple(f"set{i}_0shot_exact" for i in range(5)))

    lines = printed(board, 80).split("\n")

    assert [line for line in lines if "set" in line] == [
        "┃                        ┃         set0 ┃         set1 ┃         set2 ┃",
        "┃                        ┃         set3 ┃         set4 ┃",
    ]
    assert lines.count("│ server/日本語モデル-8b │ 0.500 ±0.100 │ 0.500 ±0.100 │") == 1
    assert {cell_len(line) for line in lines} <= {71, 56}


def test_names_and_numbers_stand_below_each_other_where_no_table_fits() -> None:
    one, two = make_board("m/a"), make_board("m/a", "m/b")

    assert printed(one, 20) == "m/a\n  a_0shot_exact\n    0.500 ±0.100"
    assert printed(two, 20) == ("a_0shot_exact\n  m/a\n    0.500 ±0.100\n  m/b\n    0.500 ±0.100")


def test_every_number_is_shown_at_any_width() -> None:
    keys = ("a_0shot_exact", f"{'long' * 20}_0shot_exact", "b_0shot_exact")
    board = make_board(*(f"m/{i}" for i in range(12)), keys=keys)

    for width in range(1, 200, 9):
        assert printed(board, width).count("0.500") == 36


def test_names_cannot_steer_the_terminal_or_break_the_markdown() -> None:
    board = make_board("m/[b]x|\x1b[31m")

    assert "m/[b]x|\\x1b[31m" in printed(board, 100)
    assert to_markdown(board).endswith("| m/[b]x\\|\\x1b[31m | 0.500 ±0.100 |")


def test_csv_leaves_a_cell_empty_where_there_is_no_number() -> None:
    board = Leaderboard(
        ("m/a",),
        ("a_0shot_exact", "b_0shot_exact"),
        {("m/a", "b_0shot_exact"): make_cell("b_0shot_exact", Aggregate(value=1.0, n_scored=7))},
    )

    assert to_csv(board) == (
        "model,a_0shot_exact,a_0shot_exact_stderr,a_0shot_exact_low,a_0shot_exact_high,"
        "a_0shot_exact_n,b_0shot_exact,b_0shot_exact_stderr,b_0shot_exact_low,b_0shot_exact_high,"
        "b_0shot_exact_n\nm/a,,,,,,1.0,,,,7"
    )
