"""Results as a careless metric would make them: values that are no numbers."""

from __future__ import annotations

from llmeval_core.hooks import TaskResult


def with_values(result: TaskResult, values: dict[str, object]) -> TaskResult:
    """Give a result values as a careless metric would return them."""
    (pattern,) = result.metrics
    metrics = [
        pattern.model_copy(
            update={
                "key": f"{result.task}_{name}",
                "metric": name,
                "aggregate": pattern.aggregate.model_copy(update={"value": value}),
            }
        )
        for name, value in values.items()
    ]
    return result.model_copy(update={"metrics": tuple(metrics)})
