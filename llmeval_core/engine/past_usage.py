"""What earlier answers of each model used, as the journal knows it."""

from __future__ import annotations

from llmeval_core.journal import Journal, JournalQueries, ModelUsage


class PastUsage:
    """Looks up what earlier answers used; asks the journal once a model, however many its tasks.

    Args:
        journal: what is known; None if there is none yet.
    """

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._of_models: dict[str, ModelUsage | None] = {}

    def of_task(self, model: str, task: str) -> ModelUsage | None:
        """Average what answers of a model to one task used; None if there is none; blocking."""
        if self._journal is None or self.of_model(model) is None:
            return None
        return self._journal.read(JournalQueries.usage, model, task)

    def of_model(self, model: str) -> ModelUsage | None:
        """Average what answers of a model to all tasks used; None if there is none; blocking."""
        if self._journal is None:
            return None
        if model not in self._of_models:
            self._of_models[model] = self._journal.read(JournalQueries.usage, model)
        return self._of_models[model]
