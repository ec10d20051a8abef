"""Does a source of tasks give the same tasks each time, and groups that can be made of them?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from llmeval_core.contracts import Task, TaskGroup, TaskOptions, TaskSet, TaskSource
from llmeval_core.naming import NAME_PATTERN
from llmeval_core.records import Aggregate, Score
from llmeval_core.testing.checking_tasks import check_task
from llmeval_core.testing.recording_ask import Answering, trial_answer


async def check_task_source(
    source: TaskSource,
    options: TaskOptions | None = None,
    *,
    answer: Answering = trial_answer,
    most: int = 20,
    most_tasks: int = 10,
    judges_thoughts: bool = False,
) -> dict[str, list[Mapping[str, Score]]]:
    """Load tasks twice, check them and their groups; return the scores by the tasks' names.

    Args:
        source: where tasks come from.
        options: what a run file might say; nothing, if left out.
        answer, most, judges_thoughts: as of `check_task`.
        most_tasks: how many tasks are checked, the first ones, and the groups of these alone.

    Raises:
        AssertionError: it breaks a promise of `contracts.TaskSource`, or a task one of its own.
    """
    loaded = _load(source, options or TaskOptions())
    again = _load(source, options or TaskOptions())
    assert _identity(loaded) == _identity(again), "load() gives other tasks the second time"
    tasks = {task.name: task for task in loaded.tasks}
    assert len(tasks) == len(loaded.tasks), "two of its tasks have the same name"
    for group in loaded.groups:
        assert group.name not in tasks, f"'{group.name}' is a group and a task"
        _check_group(group, tasks)
    scores = {
        name: await check_task(task, answer=answer, most=most, judges_thoughts=judges_thoughts)
        for name, task in list(tasks.items())[:most_tasks]
    }
    for group in loaded.groups:
        if scores.keys() >= {*group.members}:
            _check_numbers(group, tasks, scores)
    return scores


def _load(source: TaskSource, options: TaskOptions) -> TaskSet:
    loaded: object = source.load(options)
    assert isinstance(loaded, TaskSet), f"load() gave a {type(loaded).__name__}, not a TaskSet"
    assert loaded.tasks, "it stands for no task"
    for task in loaded.tasks:
        assert isinstance(task, Task), f"load() gave a {type(task).__name__}, not a Task"
    return loaded


def _identity(loaded: TaskSet) -> tuple[object, ...]:
    tasks = [(task.name, task.n_shots, task.fingerprint()) for task in loaded.tasks]
    return tasks, [(group.name, group.members) for group in loaded.groups]


def _check_group(group: TaskGroup, tasks: Mapping[str, Task]) -> None:
    where = f"group '{group.name}'"
    assert NAME_PATTERN.fullmatch(group.name), f"{where}: a space, slash or colon in its name"
    assert group.metrics, f"{where} has no metric"
    for name, metric in group.metrics.items():
        assert metric.members, f"{where}: no task has a part in '{name}'"
        assert metric.definition.strip(), f"{where}: the definition id of '{name}' is empty"
        for member in metric.members:
            assert member in tasks, f"{where}: there is no task '{member}'"
            assert name in tasks[member].metrics, f"{where}: '{member}' has no metric '{name}'"


def _check_numbers(
    group: TaskGroup,
    tasks: Mapping[str, Task],
    scores: Mapping[str, list[Mapping[str, Score]]],
) -> None:
    for name, metric in group.metrics.items():
        parts = [
            tasks[member]
            .metrics[name]
            .aggregate(one[name] for one in scores[member] if name in one)
            for member in metric.members
        ]
        for given in (parts, [Aggregate(value=None) for _ in parts]):
            made: object = metric.aggregate(given)
            where = f"group '{group.name}': the aggregate of {name}"
            assert isinstance(made, Aggregate), f"{where} is a {type(made).__name__}"
            for number in (made.value, made.stderr):
                assert number is None or math.isfinite(number), f"{where} is not finite"
