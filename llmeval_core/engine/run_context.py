"""What the tasks of a run have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmeval_core.containing import ProcessState
from llmeval_core.engine.notices import Notices
from llmeval_core.engine.reasking import ReaskFilter
from llmeval_core.engine.spending import Spending
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.journal import Journal
from llmeval_core.plan import Plan


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the tasks of a run have in common.

    Args:
        plan: what is run.
        journal: where it is kept.
        spending: what is used, over all tasks.
        halt: when set, no more requests are sent.
        notices: what is told once a run.
        process: how plugins found the process, and have to leave it.
        again: which answers of the journal are asked for once more; None for none.
    """

    plan: Plan
    journal: Journal
    spending: Spending
    halt: StopSignal
    notices: Notices
    process: ProcessState = field(default_factory=ProcessState.now)
    again: ReaskFilter | None = None
