"""The memory of a project: every finished sample, every task's result, every delivery."""

from llmeval_core.journal.deliveries import (
    Deliveries,
    Delivery,
    DeliveryState,
    Lack,
    StoredTracker,
)
from llmeval_core.journal.journal import Journal
from llmeval_core.journal.reading import Reader, StoredTask, TaskTotals

__all__ = [
    "Deliveries",
    "Delivery",
    "DeliveryState",
    "Journal",
    "Lack",
    "Reader",
    "StoredTask",
    "StoredTracker",
    "TaskTotals",
]
