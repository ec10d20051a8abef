"""A project's journal in SQLite: every finished sample, every task's result, every delivery."""

from llmeval_core.journal.delivery_repository import (
    DeliveryRecord,
    DeliveryRepository,
    DeliveryState,
    PendingDelivery,
    StoredTracker,
)
from llmeval_core.journal.file_access import journal_exists
from llmeval_core.journal.home import JOURNAL_FILE, home_problem
from llmeval_core.journal.journal import Journal
from llmeval_core.journal.model_usage import ModelUsage
from llmeval_core.journal.process_lock import ProcessLock
from llmeval_core.journal.queries import JournalQueries
from llmeval_core.journal.reask_rounds import SampleEnd
from llmeval_core.journal.sample_index import (
    BoundedCount,
    IndexPage,
    IndexQuery,
    SampleIndex,
)
from llmeval_core.journal.scores import StoredScores, score_bucket
from llmeval_core.journal.stored_tasks import StoredAnswer, StoredTask
from llmeval_core.journal.totals import RoleTotals, TaskTotals

__all__ = [
    "JOURNAL_FILE",
    "BoundedCount",
    "DeliveryRecord",
    "DeliveryRepository",
    "DeliveryState",
    "IndexPage",
    "IndexQuery",
    "Journal",
    "JournalQueries",
    "ModelUsage",
    "PendingDelivery",
    "ProcessLock",
    "RoleTotals",
    "SampleEnd",
    "SampleIndex",
    "StoredAnswer",
    "StoredScores",
    "StoredTask",
    "StoredTracker",
    "TaskTotals",
    "home_problem",
    "journal_exists",
    "score_bucket",
]
