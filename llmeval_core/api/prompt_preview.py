"""Requests as a model would get them, without asking it: of a run's tasks, or of a data set."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmeval_core.catalog import Catalog, TaskPlanner, plan_model, shots_of
from llmeval_core.catalog.public_settings import public_settings
from llmeval_core.config import (
    GenerationConfig,
    ModelConfig,
    Origin,
    PromptConfig,
    RunConfig,
    TaskConfig,
    validate,
)
from llmeval_core.contracts import Dataset, Model, ModelInfo
from llmeval_core.engine.item_preview import first_requests
from llmeval_core.engine.sample_source import SampleSource
from llmeval_core.errors import ConfigError, UnknownNameError
from llmeval_core.naming import Json, did_you_mean
from llmeval_core.plan import Plan, PlannedModel, PlannedTask
from llmeval_core.prompting import Prompter, PromptError
from llmeval_core.records import Request, Sample

_ANY_MODEL = "any/model"


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """A sample with its request, or with the reason why there is none.

    Args:
        sample, request, problem: as said.
        own_settings: how its answer is generated, if otherwise than the task's answers; else None.
    """

    sample: Sample
    request: Request | None
    problem: str | None
    own_settings: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class PreviewedTask:
    """One model's task and its first requests; `prompts` streams them and can be read once."""

    model: PlannedModel
    task: PlannedTask
    prompts: Iterator[PromptPreview]


class _NullProvider:
    """Stands in for a provider where prompts are only looked at; can be asked in every mode."""

    def describe(self, model: str) -> ModelInfo:
        """See `contracts.ModelProvider`."""
        return ModelInfo("", frozenset({"chat", "completion", "loglikelihood"}))

    async def open(self, model: str) -> Model:
        """Refuse: nothing is asked."""
        raise ConfigError(f"'{model}' only stands for a model")


def preview_tasks(plan: Plan, limit: int, *, name: str | None = None) -> Iterator[PreviewedTask]:
    """Make the first requests of the tasks of a plan, for every model.

    Args:
        plan: the run.
        limit: how many requests of each task.
        name: only tasks with this key, or of this data set; all if None.

    Raises:
        UnknownNameError: no task is called so.
        LlmevalError: a template or a data set is wrong.
    """
    chosen = [
        (evaluation.model, task)
        for evaluation in plan.evaluations
        for task in evaluation.tasks
        if name is None or name in (task.key, task.dataset_name)
    ]
    if not chosen:
        known = dict.fromkeys(task.key for one in plan.evaluations for task in one.tasks)
        raise UnknownNameError(
            f"the run has no task '{name}'",
            hint=did_you_mean(str(name), known) or f"it has: {', '.join(known)}",
        )
    for model, task in chosen:
        yield PreviewedTask(model, task, _previews(model, task, limit=limit))


def preview_dataset(
    dataset: Dataset,
    catalog: Catalog,
    *,
    use: str,
    model: str | None,
    n_shots: int | None,
    limit: int,
) -> PreviewedTask:
    """Make the first requests of a data set, as a run without other settings would.

    Args:
        dataset: where samples come from.
        catalog: where the model's provider is.
        use: how the data set is called in a run file.
        model: how the model would be asked; None for a text to continue (messages for a
            conversation), whatever the model.
        n_shots: how many examples are shown; None for the data set's own number.
        limit: how many samples.

    Raises:
        LlmevalError: the model, a template or the data set is wrong.
    """
    origin = Origin(flags={("models", 0): f"-m {model}", ("tasks",): f"data set {use}"})
    name = model or _ANY_MODEL
    task = TaskConfig.model_validate({"dataset": use, "shots": n_shots})
    if model is None:
        provider = _NullProvider()
        planned = PlannedModel(name, provider, name, provider.describe(name), {})
        if not _has_conversations(dataset):
            task = task.model_copy(update={"prompt": PromptConfig(mode="completion")})
    else:
        config = validate(ModelConfig, {"name": name}, origin=origin, prefix=("models", 0))
        planned = plan_model(config, catalog, origin, ("models", 0))
    run = RunConfig(models=(ModelConfig(name=name),), tasks=(task,))
    planner = TaskPlanner(
        task,
        shots_of(task, dataset)[0],
        dataset=dataset,
        metrics=(),
        run=run,
        where=origin.where("tasks"),
    )
    planned_task = planner.plan(planned, GenerationConfig())
    return PreviewedTask(planned, planned_task, _previews(planned, planned_task, limit=limit))


def _has_conversations(dataset: Dataset) -> bool:
    first = next(iter(dataset.samples()), None)
    return first is not None and not isinstance(first.input, str)


def _previews(model: PlannedModel, task: PlannedTask, *, limit: int) -> Iterator[PromptPreview]:
    if task.task is not None:
        for item, requests in itertools.islice(first_requests(model, task), limit):
            for request in requests:
                own = request.settings if request.settings != task.generation else None
                told = None if own is None else public_settings(own.as_json())
                yield PromptPreview(item.sample, request, None, told)
            if not requests:
                yield PromptPreview(item.sample, None, "the task asks it as it goes")
        return
    prompter = Prompter(model, task)
    prompter.load_pool()
    source = SampleSource(task)
    try:
        chunks = iter(source.read, [])
        samples = itertools.chain.from_iterable(chunks)
        for _, sample in itertools.islice(samples, limit):
            try:
                yield PromptPreview(sample, prompter.request(sample), None)
            except PromptError as err:
                yield PromptPreview(sample, None, str(err))
    finally:
        source.close()
