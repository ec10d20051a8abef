"""What a plan would cost: how many requests it needs, and how many are answered already."""

from __future__ import annotations

from dataclasses import dataclass

from llmeval_core.engine.estimates import Estimate, estimate
from llmeval_core.engine.rate_limiters import max_served
from llmeval_core.engine.reasoning_room import task_reasoning_warnings
from llmeval_core.engine.sample_source import SampleSource, prepare
from llmeval_core.engine.task_warnings import TaskWarnings
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.plan import Plan, PlannedModel, PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import Sample
from llmeval_core.tokens import prompt_tokens


@dataclass(frozen=True, slots=True)
class TaskPreview:
    """One task of a plan, counted.

    Args:
        model, task: which.
        n_samples: samples in it.
        n_answered: samples whose answer the journal has.
        n_requests: different requests still to be sent.
        n_unusable: samples that the prompt's templates fail on.
        estimate: what the requests still to be sent will use.
        doubts: what looks wrong with the samples or their requests, a line each.
    """

    model: str
    task: str
    n_samples: int
    n_answered: int
    n_requests: int
    n_unusable: int
    estimate: Estimate
    doubts: tuple[str, ...] = ()


def preview(plan: Plan, journal: Journal | None) -> list[TaskPreview]:
    """Count the requests of every task; reads all samples, sends nothing; blocking.

    Args:
        plan: what would be run.
        journal: what is known; None if there is no journal yet.

    Raises:
        LlmevalError: a data set or a prompt is wrong.
    """
    return [
        preview_task(
            evaluation.model,
            task,
            journal,
            n_at_once=max_served(plan, [evaluation.model]),
        )
        for evaluation in plan.evaluations
        for task in evaluation.tasks
    ]


def preview_task(
    model: PlannedModel,
    task: PlannedTask,
    journal: Journal | None,
    *,
    n_at_once: int,
    most_samples: int | None = None,
) -> TaskPreview:
    """Count the requests of one task, of its first `most_samples` if given; as `preview`."""
    prompter = Prompter(model, task)
    prompter.load_pool()
    source = SampleSource(task)
    n_samples = n_answered = n_unusable = n_prompt_tokens = 0
    to_send: set[str] = set()
    distinct: set[str] = set()
    doubts = TaskWarnings()
    try:
        while chunk := _read(source, most_samples, n_samples):
            prepared = prepare(prompter, chunk)
            wanted = [item.request.fingerprint for item in prepared if item.request is not None]
            known = journal.read(JournalQueries.generations, wanted) if journal is not None else {}
            n_samples += len(prepared)
            n_unusable += len(prepared) - len(wanted)
            n_answered += sum(key in known for key in wanted)
            distinct.update(wanted)
            for item in prepared:
                doubts.add(item.sample, item.request)
                key = item.request.fingerprint if item.request is not None else None
                if item.request is not None and key not in known and key not in to_send:
                    to_send.add(item.request.fingerprint)
                    n_prompt_tokens += prompt_tokens(item.request)
    finally:
        source.close()
    estimated = estimate(
        model,
        task,
        journal,
        n_requests=len(to_send),
        n_prompt_tokens=n_prompt_tokens,
        n_at_once=n_at_once,
    )
    return TaskPreview(
        model.name,
        task.key,
        n_samples,
        n_answered,
        len(to_send),
        n_unusable,
        estimated,
        (*doubts.lines(len(distinct)), *task_reasoning_warnings(model, task, journal)),
    )


def _read(source: SampleSource, most_samples: int | None, n_read: int) -> list[tuple[int, Sample]]:
    """Read the next chunk, but no more samples in all than wanted."""
    if most_samples is None:
        return source.read()
    left = most_samples - n_read
    return source.read()[:left] if left > 0 else []
