"""What there is one of for each sample: plain frozen dataclasses, because they are many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmeval_core.errors import FailureKind
from llmeval_core.naming import Json
from llmeval_core.records.generations import Generation, Request
from llmeval_core.records.messages import Message
from llmeval_core.records.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a data set.

    Args:
        id: unique within the data set.
        input: the question or the text of the task; or a conversation that goes to the model
            turn by turn, as it is.
        references: the accepted answers, best first; empty if there is none.
        choices: the options of a multiple-choice item, in order; empty otherwise.
        answer: the index of the right choice; None if there are no choices.
        category: the group for separate aggregates; None for no group.
        metadata: whatever else the item has; templates may use it.
    """

    id: str
    input: str | tuple[Message, ...]
    references: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    answer: int | None = None
    category: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)

    @property
    def input_text(self) -> str:
        """The input as one text; of a conversation the turns, each with its role before it."""
        if isinstance(self.input, str):
            return self.input
        return "\n\n".join([f"{turn.role}: {turn.text}" for turn in self.input])


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a sample has no generation or no score.

    Args:
        kind: which sort of failure.
        message: what happened, one line.
        hint: what to try, if the cause is known; told when failures end a task or a model. Not
            kept in the journal, and no part of what makes two failures equal.
        where: which server failed, without secrets; as `hint`.
    """

    kind: FailureKind
    message: str
    hint: str | None = field(default=None, compare=False)
    where: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Score:
    """What one metric says of one sample.

    Args:
        value: the sample's own number; None if it has none (only the aggregate does).
        parsed: the answer that the metric found in the generation; None if it found none
            or does not look for one.
        parts: finite numbers that the aggregate needs (counts for BLEU, pairs for
            correlation); empty if `value` is enough.
        details: what else there is to know, as JSON: texts that the aggregate needs, or a judge's
            reason; None for nothing.
    """

    value: float | None
    parsed: str | None = None
    parts: tuple[float, ...] = ()
    details: Json = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a sample that took several, and its answer.

    Args:
        role: who was asked: `model` for the one that is evaluated, else `judge`, ...
        request: what was asked.
        generation: what was answered.
    """

    role: str
    request: Request
    generation: Generation


@dataclass(frozen=True, slots=True)
class SampleResult:
    """How one sample ended: a generation with scores, or a failure.

    Args:
        index: its place in the data set, from 0.
        sample: the sample.
        request: what was asked; None if the prompt could not be made, and while a run goes on for
            an answer that an earlier task found.
        generation: what was answered; None if the model failed.
        scores: metric name to score, of the metrics that could score it; empty if it failed.
        failure: why it has no score, or why the first of `metric_failures` has none; None if every
            metric scored it.
        from_journal: True if the model was not asked in this run.
        outcome: how it ended, in one word.
        turns: all that was asked for it, in order, if that was more than `request`; `generation`
            is then the answer that counts. Empty if there was one request at most.
        metric_failures: metric name to why this metric could not score it, where others may have;
            empty if all could, or if the sample failed as a whole.
    """

    index: int
    sample: Sample
    request: Request | None
    generation: Generation | None
    scores: Mapping[str, Score]
    failure: Failure | None = None
    from_journal: bool = False
    outcome: Outcome = "answered"
    turns: tuple[Turn, ...] = ()
    metric_failures: Mapping[str, Failure] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it lacks scores: of each metric that could not score it, else of the sample."""
        if self.metric_failures:
            return tuple(f"{name}: {one.message}" for name, one in self.metric_failures.items())
        return () if self.failure is None else (self.failure.message,)

    @property
    def failure_text(self) -> str:
        """All reasons in one line, with their kind before them; empty if it lacks nothing."""
        return "" if self.failure is None else f"{self.failure.kind}: {'; '.join(self.reasons)}"
