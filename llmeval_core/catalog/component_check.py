"""What a factory made, checked once: a component has the members that the engine will use."""

from __future__ import annotations

from typing import Any, Literal

from llmeval_core.config import TaskDefaults
from llmeval_core.contracts import Dataset, Executor, Metric, ModelProvider, Tracker

_CONTRACTS: dict[str, type] = {
    "datasets": Dataset,
    "models": ModelProvider,
    "metrics": Metric,
    "trackers": Tracker,
    "executors": Executor,
}
_VALUES: dict[str, dict[str, type]] = {
    "datasets": {"name": str, "defaults": TaskDefaults},
    "metrics": {"definition": str, "higher_is_better": bool},
}


def checked_component(
    kind: Literal["datasets", "models", "metrics", "trackers", "executors"], component: Any
) -> Any:
    """Pass a component on if it is one of this kind; Any: its type depends on the kind.

    Raises:
        TypeError: a member is missing or is not what the contract says.
    """
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
