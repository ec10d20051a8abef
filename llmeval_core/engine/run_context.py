"""What the tasks of a run have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmeval_core.engine.one_time_messages import OneTimeMessages
from llmeval_core.engine.reasking import ReaskFilter
from llmeval_core.engine.sample_source import SampleCache
from llmeval_core.engine.spending import Spending
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.journal import Journal
from llmeval_core.plan import Plan
from llmeval_core.process_state import ProcessState
from llmeval_core.prompting import PromptRenderers
from llmeval_core.scoring import Scorers


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the tasks of a run have in common.

    Args:
        plan: what is run.
        journal: where it is kept.
        spending: what is used, over all tasks.
        stop_signal: when set, no more requests are sent.
        messages: what is shown once a run.
        process: how plugins found the process, and have to leave it.
        reask: which answers of the journal are asked for once more; None for none.
        renderers: what renders prompts, the same for all models that are asked in one way.
        scorers: what scores answers, likewise.
        samples: the samples of small data sets, read once for all models.
    """

    plan: Plan
    journal: Journal
    spending: Spending
    stop_signal: StopSignal
    messages: OneTimeMessages
    process: ProcessState = field(default_factory=ProcessState.now)
    reask: ReaskFilter | None = None
    renderers: PromptRenderers = field(default_factory=PromptRenderers)
    scorers: Scorers = field(default_factory=Scorers)
    samples: SampleCache = field(default_factory=SampleCache)
