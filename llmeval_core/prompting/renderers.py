"""The prompt renderers of a run: one for each way of asking, whatever the number of models."""

from __future__ import annotations

from llmeval_core.plan import PlannedTask
from llmeval_core.prompting.renderer import PromptRenderer

MAX_POOLED = 20_000
"""Examples of few-shot pools that are kept for the next model, at most."""


class PromptRenderers:
    """Makes the renderer of each task once for all models of a plan.

    A renderer with a few-shot pool is kept only as long as all the pools together stay within
    `MAX_POOLED` samples; the next model otherwise reads its pool again.
    """

    def __init__(self) -> None:
        self._kept: dict[str, PromptRenderer] = {}
        self._n_pooled = 0

    def of(self, task: PlannedTask) -> PromptRenderer:
        """Return the renderer of a task.

        Raises:
            ConfigError: a template has a syntax error.
        """
        known = self._kept.get(task.definition_fingerprint)
        if known is not None:
            return known
        made = PromptRenderer(task)
        n_pooled = 0
        if task.n_shots:  # lm-eval's pool has no bound: nothing is kept beside it
            is_whole = task.few_shot.select == "lm-eval"
            n_pooled = MAX_POOLED if is_whole else task.few_shot.pool_size
        if self._n_pooled + n_pooled <= MAX_POOLED:
            self._n_pooled += n_pooled
            self._kept[task.definition_fingerprint] = made
        return made
