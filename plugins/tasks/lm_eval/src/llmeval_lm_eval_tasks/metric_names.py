"""What lm-eval's numbers are called: names that every tracker takes, and definition ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmeval_lm_eval_tasks.returned_keys import returned_keys
from llmeval_lm_eval_tasks.task_yaml import FunctionRef

NO_FILTER = "none"
"""lm-eval's name for no filter; it is left out of names."""

_DEFAULT_METRICS = {
    "loglikelihood": ("perplexity", "acc"),
    "loglikelihood_rolling": ("word_perplexity", "byte_perplexity", "bits_per_byte"),
    "multiple_choice": ("acc", "acc_norm"),
    "generate_until": ("exact_match",),
}
_LOWER_IS_BETTER = frozenset(
    {"brier_score", "perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "ter"}
)


@dataclass(frozen=True, slots=True)
class TaskMetricName:
    """One number of one of lm-eval's tasks: the metric, after a filter.

    Args:
        metric: lm-eval's name for it.
        filter: the filter's name.
        higher_is_better: which way is better.
    """

    metric: str
    filter: str
    higher_is_better: bool

    @property
    def key(self) -> str:
        """The name in llmeval: `exact_match.strict-match`, or `acc` without a filter."""
        name = legal_name(self.metric)
        return name if self.filter == NO_FILTER else f"{name}.{legal_name(self.filter)}"

    def definition(self, library: str, task: str, version: object) -> str:
        """Return the definition id: `exact_match.strict-match@lm-eval-0.4.13+gsm8k-3.0`."""
        known = "" if version in (None, "Yaml") else f"-{version}"
        return f"{self.key}@lm-eval-{library}+{task}{known}"


def legal_name(name: str) -> str:
    """Write a name with what MLflow takes: `pass@1` is `pass_at_1`, `chrf++` is `chrfpp`."""
    return re.sub(r"[^\w.\-]", "_", name.replace("@", "_at_").replace("++", "pp"))


def metrics_of(config: Mapping[str, Any]) -> list[TaskMetricName]:
    """Name the numbers of a task of YAML, in lm-eval's order: filter by filter.

    Any: YAML.
    """
    filters = [str(one["name"]) for one in config.get("filter_list") or []] or [NO_FILTER]
    output_type = str(config.get("output_type") or "generate_until")
    listed = config.get("metric_list")
    if listed is None:
        listed = [{"metric": name} for name in _DEFAULT_METRICS[output_type]]
    named = [(_metric_name(one["metric"]), one.get("higher_is_better")) for one in listed]
    judge = config.get("process_results")
    if isinstance(judge, FunctionRef):
        declared = {name for name, _ in named}
        named += [(key, None) for key in returned_keys(judge) if key not in declared]
    return [
        TaskMetricName(name, one, higher_is_better(name) if better is None else bool(better))
        for one in filters
        for name, better in named
    ]


def higher_is_better(metric: str) -> bool:
    """Say which way a registered metric is better."""
    return metric not in _LOWER_IS_BETTER


def _metric_name(metric: object) -> str:
    return metric.function if isinstance(metric, FunctionRef) else str(metric)
