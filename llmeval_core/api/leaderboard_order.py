"""The order of a leaderboard's rows and columns: that of the run files its results come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from llmeval_core.api.leaderboard import Leaderboard


def in_run_order(
    board: Leaderboard, planned_tasks: Callable[[str], Iterable[tuple[str, str]]]
) -> Leaderboard:
    """Put models and metric keys into the order of the newest run file that has them.

    What is only in older runs follows, in the order of these; so does, in the order of the board,
    what is in no known plan.

    Args:
        board: its results say which runs it comes from.
        planned_tasks: gives the model and the key of each task of a plan, by its fingerprint, in
            order; nothing if it is not known. Called for as many plans as are needed.
    """
    results = sorted(board.shown_results(), key=lambda one: one.finished_at, reverse=True)
    left = {(result.model, result.task) for result in results}
    models: dict[str, None] = {}
    tasks: dict[str, None] = {}
    for plan in dict.fromkeys(result.plan_fingerprint for result in results):
        if not left:
            break
        for model, task in planned_tasks(plan):
            models[model] = None
            tasks[task] = None
            left.discard((model, task))
    task_of = {key: result.task for (_, key), result in board.results.items()}
    place_of_task = _place_in(tasks)
    return replace(
        board,
        models=tuple(sorted(board.models, key=_place_in(models))),
        keys=tuple(sorted(board.keys, key=lambda key: place_of_task(task_of.get(key, "")))),
    )


def _place_in(names: Mapping[str, None]) -> Callable[[str], int]:
    """Tell at which place a name stands; behind all if it is not there."""
    places = {name: place for place, name in enumerate(names)}
    return lambda name: places.get(name, len(places))
