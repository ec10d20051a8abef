"""What a factory made, checked once: a component has the members that the engine will use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmeval_core.config import TaskDefaults
from llmeval_core.contracts import (
    Dataset,
    Executor,
    Metric,
    ModelProvider,
    Solver,
    Task,
    TaskSource,
    Tool,
    Tracker,
)
from llmeval_core.records import ToolSpec

_CONTRACTS: dict[str, type] = {
    "datasets": Dataset,
    "tasks": Task,
    "models": ModelProvider,
    "metrics": Metric,
    "solvers": Solver,
    "tools": Tool,
    "trackers": Tracker,
    "executors": Executor,
}
_VALUES: dict[str, dict[str, type]] = {
    "datasets": {"name": str, "defaults": TaskDefaults},
    "tasks": {"name": str, "n_shots": int, "metrics": Mapping, "roles": Mapping},
    "metrics": {"definition": str, "higher_is_better": bool},
    "solvers": {"definition": str, "roles": Mapping},
    "tools": {"spec": ToolSpec},
}


def checked_component(kind: str, component: Any) -> Any:
    """Pass a component on if it is one of this kind; Any: its type depends on the kind.

    Args:
        kind: `datasets`, `tasks`, ...; of the tasks a source of several is passed on too.
        component: what a factory made.

    Raises:
        TypeError: a member is missing or is not what the contract says.
    """
    if kind == "tasks" and isinstance(component, TaskSource):
        return component
    contract = _CONTRACTS[kind]
    missing = [
        name for name in vars(contract) if not name.startswith("_") and not hasattr(component, name)
    ]
    if missing:
        given = type(component).__name__
        raise TypeError(f"its factory gave a {given}, which lacks '{missing[0]}'")
    for name, wanted in _VALUES.get(kind, {}).items():
        value = getattr(component, name)
        if not isinstance(value, wanted):
            given = type(value).__name__
            raise TypeError(f"its {name} is a {given}, not a {wanted.__name__}")
    return component
