"""The memory of a project: every finished sample, every task's result, every delivery."""

from llmeval_core.journal.access import is_there
from llmeval_core.journal.deliveries import (
    Deliveries,
    Delivery,
    DeliveryState,
    Lack,
    StoredTracker,
)
from llmeval_core.journal.finding import Count, Ending, SampleFinder, SampleQuery, Stretch
from llmeval_core.journal.history import Usage
from llmeval_core.journal.home import home_problem
from llmeval_core.journal.journal import Journal
from llmeval_core.journal.reading import Reader
from llmeval_core.journal.rounds import Ended
from llmeval_core.journal.scores import StoredScores, grade
from llmeval_core.journal.stored import StoredAnswer, StoredTask
from llmeval_core.journal.totals import TaskTotals

__all__ = [
    "Count",
    "Deliveries",
    "Delivery",
    "DeliveryState",
    "Ended",
    "Ending",
    "Journal",
    "Lack",
    "Reader",
    "SampleFinder",
    "SampleQuery",
    "StoredAnswer",
    "StoredScores",
    "StoredTask",
    "StoredTracker",
    "Stretch",
    "TaskTotals",
    "Usage",
    "grade",
    "home_problem",
    "is_there",
]
