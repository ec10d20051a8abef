"""How a model is asked and how it answers, where a task leaves that open."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from llmeval_core.config import AnswerBy
from llmeval_core.contracts import AnswerAwareMetric, Dataset
from llmeval_core.errors import ConfigError, PluginError, wrap_plugin_errors
from llmeval_core.plan import PlannedMetric, PlannedModel
from llmeval_core.records import Mode


def choose_answer_by(wanted: AnswerBy, modes: frozenset[Mode], dataset: Dataset) -> AnswerBy:
    """Decide `auto`: by what the first sample has, and by how the model can be asked."""
    if wanted != "auto":
        return wanted
    first = next(iter(dataset.samples()), None)
    if first is None or not first.choices:
        return "generation"
    if not isinstance(first.input, str) and "chat" in modes:
        return "letter"  # a conversation is no one text that choices could continue
    return "loglikelihood" if "loglikelihood" in modes else "letter"


def choose_mode(
    wanted: Literal["chat", "completion"] | None,
    answer_by: AnswerBy,
    model: PlannedModel,
    where: str,
    modes: frozenset[Mode],
) -> Mode:
    """Decide the mode in which the model is asked.

    Raises:
        ConfigError: the model, or the solver around it, does not know it.
    """
    mode: Mode = "loglikelihood"
    if answer_by != "loglikelihood":
        mode = wanted or ("chat" if "chat" in modes else "completion")
    if mode in modes:
        return mode
    if mode in model.info.modes:
        can = ", ".join(sorted(modes))
        way = "answer_by: letter" if mode == "loglikelihood" else f"prompt: {{mode: {can}}}"
        raise ConfigError(
            f"the task's solver cannot be asked for {mode}",
            where=where,
            hint=f"with it this model can be asked for {can}; set {way}"
            if modes
            else "with it this model can be asked for nothing; choose another solver",
        )
    raise ConfigError(
        f"model '{model.name}' cannot be asked for {mode}",
        where=where,
        hint=f"it can: {', '.join(sorted(model.info.modes))}",
    )


def metric_for_answers(planned: PlannedMetric, answer_by: AnswerBy, where: str) -> PlannedMetric:
    """Take a metric as it is for answers of this kind, if it tells kinds apart."""
    metric = planned.metric
    if not isinstance(metric, AnswerAwareMetric):
        return planned
    what = f"metric '{planned.name}' cannot be planned for answers by {answer_by}"
    with wrap_plugin_errors(PluginError, what, where=where):
        return replace(planned, metric=metric.for_answers(answer_by))
