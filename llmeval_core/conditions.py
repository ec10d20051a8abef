"""Under which conditions a result came about, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llmeval_core.naming import Json
from llmeval_core.records import TaskResult

_NOT_CONDITIONS = frozenset({"limit", "n_shots"})
"""How much was asked, and what stands in the key."""


def conditions(result: TaskResult) -> dict[str, Json]:
    """Return everything that decides a result's numbers, by dotted name: `prompt.template`.

    That is the data set (its fingerprint), the prompt, how answers are generated, found and
    scored, and the model's settings.
    """
    return dict(_flat(_without(result.settings, _NOT_CONDITIONS), ""))


def what_differs(one: TaskResult, other: TaskResult, *, models: bool = True) -> tuple[str, ...]:
    """Name the conditions that differ between two results, sorted; empty if they are comparable.

    Metrics that only one of them has are left out, and so is what an older version did not note.

    Args:
        one, other: the results.
        models: whether the settings of the model count; they do not between different models.
    """
    left_out = _NOT_CONDITIONS if models else _NOT_CONDITIONS | {"model"}
    if _without(one.settings, left_out) == _without(other.settings, left_out):
        return ()  # most often, and much quicker
    left, right = conditions(one), conditions(other)
    metrics = {metric.metric for metric in one.metrics} & {m.metric for m in other.metrics}
    names = {
        name
        for name in left.keys() | right.keys()
        if left.get(name) != right.get(name) and _counts(name, metrics, models=models)
    }
    return tuple(sorted(names))


def _without(settings: Mapping[str, Json], left_out: frozenset[str]) -> dict[str, Json]:
    return {key: value for key, value in settings.items() if key not in left_out}


def _counts(name: str, metrics: set[str], *, models: bool) -> bool:
    head, _, rest = name.partition(".")
    if head == "metrics":
        return any(rest == metric or rest.startswith(f"{metric}.") for metric in metrics)
    return models or head != "model"


def _flat(value: Mapping[str, Json], prefix: str) -> Iterator[tuple[str, Json]]:
    """Stream what is in nested mappings, by dotted name; what is None or empty is left out."""
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{name}.")
        elif inner is not None and inner != []:
            yield name, inner
