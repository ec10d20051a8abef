"""A task's solver with its tools, and whom tasks ask beside the evaluated model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from llmeval_core.catalog.catalog import Catalog
from llmeval_core.catalog.checked_tool import CheckedTool, tool_identity
from llmeval_core.catalog.public_settings import public_settings
from llmeval_core.catalog.roles import identity_of_roles, models_asked
from llmeval_core.config import ComponentConfig, KeyPath, Origin
from llmeval_core.contracts import MODEL, Tool, ToolUser
from llmeval_core.errors import ConfigError, PluginError, wrap_plugin_errors
from llmeval_core.naming import Json
from llmeval_core.plan import PlannedMetric, PlannedModel, PlannedRole, PlannedSolver


def plan_solver(
    config: ComponentConfig, catalog: Catalog, *, origin: Origin, path: KeyPath
) -> PlannedSolver:
    """Make a solver, and the tools that it lets models call.

    Raises:
        LlmevalError: a name or a setting is wrong, or two tools have the same name.
    """
    solver, registered = catalog.build("solvers", config, origin=origin, path=path)
    tools: dict[str, Tool] = {}
    for number, named in enumerate(solver.tools if isinstance(solver, ToolUser) else ()):
        place = (*path, "tools", number)
        tool, offered = catalog.build("tools", named, origin=origin, path=place)
        if tool.spec.name in tools:
            raise ConfigError(
                f"two tools are called '{tool.spec.name}'", where=origin.where(*place)
            )
        tools[tool.spec.name] = CheckedTool(tool, offered.distribution)
    return PlannedSolver(
        config.use, solver, tools, public_settings(config.settings), registered.distribution
    )


def refuse_what_is_lacking(
    model: PlannedModel, planned: PlannedSolver | None, *, n: int, where: str
) -> None:
    """Refuse a task that wants of a model what it says that it cannot do, or of a solver.

    Raises:
        ConfigError: several answers to one request, or calls of tools.
    """
    lacks = model.info.lacks
    if n != 1 and planned is not None and planned.solver.roles.get(MODEL, 0) > 1:
        raise ConfigError(
            f"the solver '{planned.name}' asks a sample several times, each time for one answer,"
            f" and `n` is {n}",
            where=where,
            hint="leave `n` at 1; `solver: {use: self_consistency, n: ...}` has its own",
        )
    if n != 1 and "n" in lacks:
        raise ConfigError(
            f"'{model.name}' gives one answer to each request, and `n` is {n}",
            where=where,
            hint="leave `n` at 1; `solver: {use: self_consistency, n: ...}` asks several times",
        )
    if planned is not None and planned.tools and "tools" in lacks:
        raise ConfigError(
            f"'{model.name}' calls no tools, and the solver '{planned.name}' offers some",
            where=where,
            hint="evaluate it on tasks without tools, or serve it in a way that knows them",
        )


def describe_solver(
    planned: PlannedSolver | None, roles: Mapping[str, PlannedRole], *, where: str
) -> dict[str, Json]:
    """Say all of a solver that decides what is asked; empty without a solver.

    Raises:
        ConfigError: no model has a role that it asks.
        PluginError: it cannot say.
    """
    if planned is None:
        return {}
    what = f"solver '{planned.name}' cannot be planned"
    with wrap_plugin_errors(PluginError, what, where=where):
        described: dict[str, Json] = {
            "definition": planned.solver.definition,
            "settings": dict(planned.settings),
        }
        names = [name for name in planned.solver.roles if name != MODEL]
        if planned.tools:
            described["tools"] = [tool_identity(tool) for tool in planned.tools.values()]
    if names:
        described["roles"] = identity_of_roles(names, roles, where=where)
    return {"solver": described}


def roles_of_metrics(metrics: tuple[PlannedMetric, ...]) -> dict[str, int]:
    """Say whom metrics ask, and about how many requests they make a sample."""
    roles: dict[str, int] = {}
    for planned in metrics:
        for name, n_requests in getattr(planned.metric, "roles", {}).items():
            roles[name] = roles.get(name, 0) + n_requests
    return roles


def with_models_asked(planned: PlannedMetric, roles: Mapping[str, PlannedRole]) -> PlannedMetric:
    """Note with a metric that asks models which ones these are."""
    names = getattr(planned.metric, "roles", {})
    return replace(planned, asked=models_asked(names, roles)) if names else planned


def all_roles(solver: PlannedSolver | None, judges: Mapping[str, int]) -> dict[str, int]:
    """Say whom a task asks; of the evaluated model what comes besides the first request."""
    roles = dict(judges)
    for name, n_requests in solver.solver.roles.items() if solver is not None else ():
        besides = max(0, n_requests - 1) if name == MODEL else n_requests
        roles[name] = roles.get(name, 0) + besides
    return {name: n_requests for name, n_requests in roles.items() if n_requests}
