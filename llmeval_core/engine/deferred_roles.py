"""Which roles of a task wait for a second pass, because two models cannot be open together.

Two models that work in a process need the memory of both, and of an executor a place each. A judge
can come later: in a first pass all samples are answered, the evaluated model is closed, and in a
second one the samples run again, find their answers, and are scored. Who takes part in the answers,
such as a simulated user, cannot come later: in this process both are open then.
"""

from __future__ import annotations

from llmeval_core.plan import Plan, PlannedModel, PlannedTask, in_turn


def deferred_roles(plan: Plan, model: PlannedModel, task: PlannedTask) -> frozenset[str]:
    """Name the roles that can be asked only when the evaluated model is closed."""
    partners: frozenset[str] = frozenset()
    if task.solver is not None:
        partners = frozenset(task.solver.solver.roles)
    elif task.task is not None and plan.executor is None:
        partners = frozenset(task.roles)
    return frozenset(
        name
        for name in task.roles
        if name in plan.roles and name not in partners and in_turn(model, plan.roles[name].model)
    )
