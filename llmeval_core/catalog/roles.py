"""The models that are asked beside the evaluated one: a judge, a simulated user."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from llmeval_core.catalog.generation_defaults import lay_over
from llmeval_core.config import GenerationConfig, Origin
from llmeval_core.contracts import MODEL, Executor
from llmeval_core.errors import ConfigError
from llmeval_core.naming import Json
from llmeval_core.plan import PlannedEvaluation, PlannedModel, PlannedRole, in_turn
from llmeval_core.records import GenerationSettings, Reasoning


def plan_role(model: PlannedModel, config: GenerationConfig | None) -> PlannedRole:
    """Fill in how a model answers in its role; the run's own settings are those of tasks.

    Greedy, with as many tokens as the model takes by itself, unless its entry says otherwise.
    """
    given = lay_over(GenerationConfig(), config or GenerationConfig())
    settings = GenerationSettings(
        max_tokens=given.max_tokens,
        temperature=given.temperature if "temperature" in given.model_fields_set else 0.0,
        top_p=given.top_p,
        seed=given.seed,
        stop=given.stop or (),
        n=given.n or 1,
        reasoning=Reasoning(given.reasoning.effort, given.reasoning.budget)
        if given.reasoning is not None
        else None,
        extra_body=given.extra_body or {},
    )
    return PlannedRole(model, settings)


def identity_of_roles(
    names: Iterable[str], roles: Mapping[str, PlannedRole], *, where: str
) -> dict[str, Json]:
    """Say all that decides the answers of the models that have these roles, and how they are read.

    Raises:
        ConfigError: no model has one of them.
    """
    described: dict[str, Json] = {}
    for name in names:
        role = roles.get(name)
        if role is None:
            hint = f"name one in the run file: `roles: {{{name}: provider/model}}`,"
            hint += f" or by `--role {name}=provider/model`"
            if roles:
                hint += f"; its roles are {', '.join(roles)}"
            raise ConfigError(f"no model has the role '{name}'", where=where, hint=hint)
        described[name] = _identity(role)
        tags = role.model.reasoning_tags
        if tags is not None:
            described[name] = [*_identity(role), [list(pair) for pair in tags]]
    return described


def models_asked(names: Iterable[str], roles: Mapping[str, PlannedRole]) -> dict[str, str]:
    """Name the models that have these roles, as far as they have one: the evaluated one has not."""
    return {name: roles[name].model.name for name in names if name in roles}


def notes_on_roles(
    evaluations: Iterable[PlannedEvaluation], roles: Mapping[str, PlannedRole]
) -> list[str]:
    """Say which roles nobody asks, and which are one and the same for a task, a line each."""
    tasks = [task for item in evaluations for task in item.tasks]
    asked = {name for task in tasks for name in task.roles}
    unasked = [
        f"no task asks the role '{name}' ({role.model.name})"
        for name, role in roles.items()
        if name not in asked
    ]
    pairs = {
        pair: None
        for task in tasks
        for pair in itertools.combinations([name for name in roles if name in task.roles], 2)
    }
    alike = [
        f"the roles '{one}' and '{other}' are the same model with the same settings"
        f" ({roles[one].model.name}): equal requests are sent once, and both give one answer"
        for one, other in pairs
        if _identity(roles[one]) == _identity(roles[other])
    ]
    return unasked + alike


def _identity(role: PlannedRole) -> list[Json]:
    """Say all that decides what the model in a role answers."""
    return [role.model.name, role.model.info.cache_key, role.generation.as_json()]


def refuse_impossible_roles(
    evaluations: Iterable[PlannedEvaluation],
    roles: Mapping[str, PlannedRole],
    executor: Executor | None,
    *,
    origin: Origin,
) -> None:
    """Refuse what an executor would have to hold two models at the same time for.

    A judge can come after all answers; who takes part in the answers cannot, nor can two judges of
    one answer come one after the other.

    Raises:
        ConfigError: a conversation of two such models is planned, or a jury.
    """
    if executor is None:
        return
    for item in evaluations:
        for task in item.tasks:
            partners = task.solver.solver.roles if task.solver is not None else {}
            together = [(name, roles[name].model) for name in task.roles if name in roles]
            pairs = [((MODEL, item.model), one) for one in together if one[0] in partners]
            for (_, model), (name, other) in (*pairs, *itertools.combinations(together, 2)):
                if in_turn(model, other):
                    raise ConfigError(
                        f"'{model.name}' and '{other.name}' both work in a process of"
                        " the executor, and would have to be there at the same time",
                        where=origin.where("roles", name),
                        hint="give one of them a server of its own, or leave `executor` out",
                    )
