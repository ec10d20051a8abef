"""Which tasks the result of a group was made of; it has no samples of its own."""

from __future__ import annotations

from llmeval_core.journal import JournalQueries
from llmeval_core.records import TaskResult


def group_members(result: TaskResult) -> tuple[str, ...]:
    """Name the keys of a group's tasks, in their order; empty for a task's own result."""
    metrics = result.settings.get("metrics")
    described = list(metrics.values()) if isinstance(metrics, dict) else []
    if "generation" in result.settings:
        return ()
    members = [one["members"] for one in described if isinstance(one, dict) and "members" in one]
    keys = [key for listed in members if isinstance(listed, list) for key in listed]
    return tuple(dict.fromkeys(map(str, keys)))


def members_of_key(reader: JournalQueries, key: str, model: str | None) -> tuple[str, ...]:
    """Name the tasks of the group that has a key, or a metric with one; empty if there is none."""
    models = {task.model for task in reader.tasks() if model in (None, task.model)}
    names = [key, *(key[:place] for place, sign in enumerate(key) if sign == "_")]
    for name in reversed(names):
        for one in sorted(models):
            for result in reader.results_of_task(one, name):
                if members := group_members(result):
                    return members
    return ()
