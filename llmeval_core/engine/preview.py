"""What a plan would cost: how many requests it needs, and how many are answered already."""

from __future__ import annotations

from dataclasses import dataclass

from llmeval_core.engine.estimates import Estimate, estimate
from llmeval_core.engine.item_preview import RolePreview, count_items
from llmeval_core.engine.past_usage import PastUsage
from llmeval_core.engine.rate_limiters import max_served
from llmeval_core.engine.reasoning_room import task_reasoning_warnings
from llmeval_core.engine.sample_source import NumberedSample, SampleSource
from llmeval_core.engine.sample_warnings import SampleWarnings
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.plan import Plan, PlannedModel, PlannedTask
from llmeval_core.prompting import Prompter, PromptError, PromptRenderer, RenderedPrompt
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
        warnings: what looks wrong with the samples or their requests, a line each.
        roles: what others would be asked, such as a judge. `n_answered` of such a task are the
            samples that are finished, and `n_requests` counts about what follows first questions.
        is_exact: whether `n_requests` can be known before the first answer.
    """

    model: str
    task: str
    n_samples: int
    n_answered: int
    n_requests: int
    n_unusable: int
    estimate: Estimate
    warnings: tuple[str, ...] = ()
    roles: tuple[RolePreview, ...] = ()
    is_exact: bool = True


def preview(plan: Plan, journal: Journal | None) -> list[TaskPreview]:
    """Count the requests of every task; reads all samples, sends nothing; blocking.

    The samples of a task are read, and its prompts rendered, once for all models that are asked in
    the same way.

    Args:
        plan: what would be run.
        journal: what is known; None if there is no journal yet.

    Raises:
        LlmevalError: a data set or a prompt is wrong.
    """
    usage = PastUsage(journal)
    groups: dict[str, list[_ModelCount]] = {}
    counted: list[tuple[_ModelCount, int]] = []
    for evaluation in plan.evaluations:
        n_at_once = max_served(plan, [evaluation.model])
        for task in evaluation.tasks:
            count = _ModelCount(evaluation.model, task)
            if task.is_plain:
                groups.setdefault(task.definition_fingerprint, []).append(count)
            counted.append((count, n_at_once))
    samples = {definition: _count_group(counts, journal) for definition, counts in groups.items()}
    return [
        count.preview(samples[count.task.definition_fingerprint], usage, n_at_once=n_at_once)
        if count.task.is_plain
        else _preview_items(plan, count, journal, usage, n_at_once)
        for count, n_at_once in counted
    ]


def _preview_items(
    plan: Plan, count: _ModelCount, journal: Journal | None, usage: PastUsage, n_at_once: int
) -> TaskPreview:
    """Count a task that asks as it likes."""
    model, task = count.model, count.task
    items = count_items(plan, model, task, journal, usage=usage, n_at_once=n_at_once)
    return TaskPreview(
        model.name,
        task.key,
        items.n_samples,
        items.n_finished,
        items.n_requests,
        items.n_unusable,
        items.estimate,
        task_reasoning_warnings(model, task, usage) if task.task is None else (),
        items.roles,
        is_exact=not any(task.roles.values()),
    )


def preview_task(
    model: PlannedModel,
    task: PlannedTask,
    journal: Journal | None,
    *,
    n_at_once: int,
    most_samples: int | None = None,
) -> TaskPreview:
    """Count the requests of one task, of its first `most_samples` if given; as `preview`."""
    count = _ModelCount(model, task)
    samples = _count_group([count], journal, most_samples=most_samples)
    return count.preview(samples, PastUsage(journal), n_at_once=n_at_once)


@dataclass(slots=True)
class _SampleCount:
    """What was counted of the samples of a task, whatever the model."""

    n_samples: int
    n_unusable: int
    warnings: tuple[str, ...]


class _ModelCount:
    """Counts the requests of one task for one model."""

    def __init__(self, model: PlannedModel, task: PlannedTask) -> None:
        self.model = model
        self.task = task
        self._n_answered = 0
        self._n_requests = 0
        self._n_prompt_tokens = 0

    def add(
        self, fingerprints: list[str], answered: set[str], tokens_if_new: list[int | None]
    ) -> None:
        """Count the requests of some samples.

        Args:
            fingerprints: of the requests.
            answered: those of them that the journal has an answer to.
            tokens_if_new: how many tokens each has; None if it came before in this task.
        """
        for fingerprint, n_tokens in zip(fingerprints, tokens_if_new, strict=True):
            if fingerprint in answered:
                self._n_answered += 1
            elif n_tokens is not None:
                self._n_requests += 1
                self._n_prompt_tokens += n_tokens

    def preview(self, samples: _SampleCount, usage: PastUsage, *, n_at_once: int) -> TaskPreview:
        """Put together what was counted."""
        estimated = estimate(
            self.model,
            self.task,
            usage,
            n_requests=self._n_requests,
            n_prompt_tokens=self._n_prompt_tokens,
            n_at_once=n_at_once,
        )
        return TaskPreview(
            self.model.name,
            self.task.key,
            samples.n_samples,
            self._n_answered,
            self._n_requests,
            samples.n_unusable,
            estimated,
            (*samples.warnings, *task_reasoning_warnings(self.model, self.task, usage)),
        )


def _count_group(
    counts: list[_ModelCount], journal: Journal | None, *, most_samples: int | None = None
) -> _SampleCount:
    """Count a task for all models that are asked in the same way."""
    task = counts[0].task
    renderer = PromptRenderer(task)
    renderer.load_pool()
    prompters = [Prompter(count.model, count.task, renderer) for count in counts]
    rendered = _RenderedTask(renderer, prompters[0])
    source = SampleSource(task)
    try:
        while batch := _read(source, most_samples, rendered.n_samples):
            prompts, tokens_if_new = rendered.render(batch)
            asked = [[prompter.fingerprint(prompt) for prompt in prompts] for prompter in prompters]
            answered: set[str] = set()
            if journal is not None:
                wanted = [fingerprint for one in asked for fingerprint in one]
                answered = journal.read(JournalQueries.answered, wanted)
            for count, fingerprints in zip(counts, asked, strict=True):
                count.add(fingerprints, answered, tokens_if_new)
    finally:
        source.close()
    return rendered.count()


class _RenderedTask:
    """Renders the prompts of a task and counts what is the same for all models.

    Args:
        renderer: of the task.
        prompter: of any of the models: its requests stand for those of all.
    """

    def __init__(self, renderer: PromptRenderer, prompter: Prompter) -> None:
        self._renderer = renderer
        self._prompter = prompter
        self._n_unusable = 0
        self._seen: set[str] = set()
        self._warnings = SampleWarnings()
        self.n_samples = 0

    def render(self, batch: list[NumberedSample]) -> tuple[list[RenderedPrompt], list[int | None]]:
        """Render some samples.

        Returns:
            The prompts, and for each how many tokens it has; None if it came before.
        """
        prompts: list[RenderedPrompt] = []
        tokens_if_new: list[int | None] = []
        for _, sample in batch:
            self.n_samples += 1
            try:
                prompt = self._renderer.render(sample)
            except PromptError:
                self._n_unusable += 1
                self._warnings.add(sample, None)
                continue
            request = self._prompter.request_for(sample, prompt)
            self._warnings.add(sample, request)
            is_new = request.fingerprint not in self._seen
            self._seen.add(request.fingerprint)
            prompts.append(prompt)
            tokens_if_new.append(prompt_tokens(request) if is_new else None)
        return prompts, tokens_if_new

    def count(self) -> _SampleCount:
        """Sum up what was rendered."""
        return _SampleCount(self.n_samples, self._n_unusable, self._warnings.lines(len(self._seen)))


def _read(source: SampleSource, most_samples: int | None, n_read: int) -> list[NumberedSample]:
    """Read the next batch, but no more samples in all than wanted."""
    if most_samples is None:
        return source.read()
    left = most_samples - n_read
    return source.read()[:left] if left > 0 else []
