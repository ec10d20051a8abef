"""Rows and columns of the leaderboard stand as in the run file."""

from __future__ import annotations

from collections.abc import Callable

from llmeval_core.api import in_run_order, make_leaderboard
from llmeval_core.records import TaskResult
from llmeval_core.testing import make_task_result

PLANS = {
    "old": [("m/z", "a_0shot"), ("m/z", "gone_0shot")],
    "new": [("m/b", "b_0shot"), ("m/b", "a_0shot"), ("m/a", "b_0shot"), ("m/a", "a_0shot")],
}


def result(plan: str, model: str, dataset: str, finished_at: float) -> TaskResult:
    return make_task_result(
        id=f"{plan}{model}{dataset}",
        model=model,
        dataset=dataset,
        finished_at=finished_at,
        metrics={"exact": 0.5, "f1": 0.5},
        plan_fingerprint=plan,
    )


def reading(asked: list[str]) -> Callable[[str], list[tuple[str, str]]]:
    """Give the plans, and note which are asked for."""

    def planned_tasks(plan: str) -> list[tuple[str, str]]:
        asked.append(plan)
        return PLANS.get(plan, [])

    return planned_tasks


def test_the_newest_run_file_comes_first_and_older_ones_follow() -> None:
    asked: list[str] = []
    board = make_leaderboard(
        [
            result("unknown", "m/y", "x", 0),
            result("old", "m/z", "gone", 1),
            result("old", "m/z", "a", 2),
            result("new", "m/a", "a", 3),
            result("new", "m/a", "b", 4),
            result("new", "m/b", "a", 5),
        ]
    )

    ordered = in_run_order(board, reading(asked))

    assert ordered.models == ("m/b", "m/a", "m/z", "m/y")
    assert ordered.keys == (
        "b_0shot_exact",
        "b_0shot_f1",
        "a_0shot_exact",
        "a_0shot_f1",
        "gone_0shot_exact",
        "gone_0shot_f1",
        "x_0shot_exact",
        "x_0shot_f1",
    )
    assert ordered.cells == board.cells
    assert asked == ["new", "old", "unknown"]


def test_no_more_plans_are_read_than_needed() -> None:
    asked: list[str] = []
    board = make_leaderboard([result("new", "m/a", "a", 1), result("new", "m/b", "b", 2)])

    in_run_order(board, reading(asked))

    assert asked == ["new"]
