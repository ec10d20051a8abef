"""lm-eval's tasks that are Python classes: what they ask and score is known when they are made."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Mode, TaskOptions
from llmeval_lm_eval_tasks.lm_eval_library import build_task, foreign_code
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.metric_names import NO_FILTER, TaskMetricName, higher_is_better
from llmeval_lm_eval_tasks.questions import QuestionMaker
from llmeval_lm_eval_tasks.randomness import OwnRandomness
from llmeval_lm_eval_tasks.ready_task import LibraryState, LmEvalTask
from llmeval_lm_eval_tasks.task_selection import TaskChoice


def load_python_task(
    choice: TaskChoice,
    settings: LmEvalSettings,
    options: TaskOptions,
    *,
    maker: QuestionMaker,
    library: LibraryState,
) -> tuple[LmEvalTask, list[TaskMetricName]]:
    """Make a task of a Python class, which loads its data; blocking.

    Raises:
        ConfigError, DatasetError: it cannot be loaded.
    """
    with OwnRandomness().installed():
        made = build_task(choice, settings.metadata)
    with foreign_code(f"lm-eval's task '{choice.name}' says nothing of its metrics"):
        directions = made.higher_is_better()
        filters = [ensemble.name for ensemble in made._filters] or [NO_FILTER]
        names = [
            TaskMetricName(metric, one, bool(directions.get(metric, higher_is_better(metric))))
            for one in filters
            for metric in made.aggregation()
        ]
        own = made.config.num_fewshot
        modes = frozenset(_modes(made, settings))
    n_shots = int(own or 0) if own == 0 or options.n_shots is None else options.n_shots
    task = LmEvalTask(
        choice,
        settings,
        names=names,
        modes=modes,
        n_shots=n_shots,
        maker=maker,
        library=library,
    )
    return task, names


def _modes(made: Any, settings: LmEvalSettings) -> list[Mode]:
    """Look at what the first document asks; Any: lm-eval's own types."""
    doc = next(iter(made.eval_docs))
    found = made.construct_requests(doc=doc, ctx="", metadata=(None, 0, 1))
    modes: list[Mode] = []
    for request in found if isinstance(found, list) else [found]:
        if request.request_type == "loglikelihood":
            modes.append("loglikelihood")
        elif request.request_type == "loglikelihood_rolling":
            modes.append("rolling")
        else:
            modes.append("chat" if settings.apply_chat_template else "completion")
    return modes
