"""Groups of ready-made tasks, which make results together."""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_core.contracts import TaskGroup
from llmeval_core.errors import PluginError
from llmeval_core.naming import NAME_PATTERN, canonical_json, fingerprint_of_text, task_key
from llmeval_core.plan import PlannedGroup, PlannedTask


def plan_group(
    group: TaskGroup, tasks: Mapping[str, PlannedTask], *, plugin: str, where: str
) -> PlannedGroup:
    """Plan a group of ready-made tasks of one model.

    Args:
        group: the group.
        tasks: the planned tasks by name.
        plugin: the distribution that it comes from.
        where: the entry's place in the run file, for errors.

    Raises:
        PluginError: a member or a metric of one is not there.
    """
    members = {name: tasks[name] for name in group.members if name in tasks}
    problem = _problem(group, members)
    if problem is not None or not NAME_PATTERN.fullmatch(group.name):
        raise PluginError(
            f"group '{group.name}' has {problem or 'a name with a space, slash or colon'}",
            where=f"{where} ({plugin})",
            hint="this is a bug in the plugin; tell its author",
        )
    first = next(iter(members.values()))
    return PlannedGroup(
        key=task_key(group.name, first.n_shots, first.variant),
        group=group,
        n_shots=first.n_shots,
        variant=first.variant,
        members={name: member.key for name, member in members.items()},
        fingerprint=fingerprint_of_text(
            canonical_json(
                [
                    group.name,
                    [
                        [
                            name,
                            metric.definition,
                            [members[one].fingerprint for one in metric.members],
                        ]
                        for name, metric in group.metrics.items()
                    ],
                ]
            )
        ),
    )


def _problem(group: TaskGroup, members: Mapping[str, PlannedTask]) -> str | None:
    """Say what a group has that it should not, or has not that it should; None if all is well."""
    missing = [name for name in group.members if name not in members]
    if missing:
        return f"no task '{missing[0]}'"
    for name, metric in group.metrics.items():
        for member in metric.members:
            if name not in [planned.name for planned in members[member].metrics]:
                return f"no metric '{name}' in '{member}'"
        if not metric.members:
            return f"no task with '{name}'"
    return None if members else "no task"
