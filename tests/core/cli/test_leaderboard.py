"""The leaderboard where names and numbers are odd."""

from __future__ import annotations

import io

from rich.console import Console

from llmeval_core.api.leaderboard import Leaderboard, cell_text, to_csv, to_markdown
from llmeval_core.cli.leaderboard import print_leaderboard
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
    file = io.StringIO()
    print_leaderboard(board, Console(file=file, width=width, markup=False, emoji=False))
    return file.getvalue()


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
