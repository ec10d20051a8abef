"""One task of one model: defaults of data set, run, model and task laid over each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeVar

from llmeval_core.catalog.generation_defaults import fill_generation, lay_over
from llmeval_core.catalog.public_settings import public_settings
from llmeval_core.config import (
    AnswerBy,
    ExtractConfig,
    GenerationConfig,
    PromptConfig,
    RunConfig,
    Settings,
    TaskConfig,
    describe_extract,
)
from llmeval_core.contracts import AnswerAwareMetric, Dataset
from llmeval_core.errors import ConfigError, DatasetError, PluginError, wrap_plugin_errors
from llmeval_core.extraction import Extractor
from llmeval_core.naming import Json, fingerprint, task_key
from llmeval_core.plan import PlannedMetric, PlannedModel, PlannedPrompt, PlannedTask
from llmeval_core.reasoning import Tags
from llmeval_core.records import Mode

PIPELINE_REVISION = 2
"""Raised when the same settings begin to give other requests."""
SCORING_REVISION = 2
"""Raised when the same answers begin to give other scores; they are scored again, not asked for.

2: reasoning is told apart by all known tags, also without the opening one.
"""

SAME_ITEM = "question, NFKC, no case, single spaces"
"""How it is found out that an example is the sample itself; see `prompting.few_shot`."""

_LETTER_TEMPLATE = (
    "{{ input }}\n"
    "{% for choice in choices %}{{ letters[loop.index0] }}. {{ choice }}\n{% endfor %}"
    "Answer:"
)
_SettingsT = TypeVar("_SettingsT", bound=Settings)


def shots_of(config: TaskConfig, dataset: Dataset) -> tuple[int, ...]:
    """Return the numbers of examples: the task's, else the data set's own, else 0."""
    return (dataset.defaults.shots or 0,) if config.shots is None else config.shots


def plan_task(
    config: TaskConfig,
    n_shots: int,
    *,
    model: PlannedModel,
    dataset: Dataset,
    metrics: tuple[PlannedMetric, ...],
    generations: tuple[GenerationConfig, ...],
    run: RunConfig,
    where: str,
) -> PlannedTask:
    """Fill in everything that the task leaves open.

    What is said nearest to the task wins: the task, then the model, then the run, then the data
    set, then llmeval's own defaults.

    Raises:
        ConfigError: the model cannot be asked as the task wants.
        DatasetError: the data set cannot be read.
    """
    defaults = dataset.defaults
    prompt = _overlay(defaults.prompt, config.prompt)
    with wrap_plugin_errors(DatasetError, f"data set '{dataset.name}' cannot be read", where=where):
        answer_by = _answer_by(config.answer_by or defaults.answer_by, model, dataset)
        size = dataset.size()
        content = dataset.fingerprint()
    metrics = tuple(_for_answers(planned, answer_by, where) for planned in metrics)
    mode = _mode(prompt.mode, answer_by, model, where)
    generation = lay_over(defaults.generation, *generations, config.generation)
    name = config.dataset.name or dataset.name
    limits = [limit for limit in (config.limit, run.limit) if limit is not None]
    limit = min(limits) if limits else None
    planned_prompt = _fill_prompt(prompt, config.prompt, answer_by)
    few_shot = config.few_shot or defaults.few_shot
    planned_generation = fill_generation(generation, mode, planned_prompt)
    asked: dict[str, Json] = {
        "pipeline": PIPELINE_REVISION,
        "dataset": content,
        "n_shots": n_shots,
        "mode": mode,
        "prompt": {
            "system": planned_prompt.system,
            "preamble": planned_prompt.preamble,
            "template": planned_prompt.template,
            "answer": planned_prompt.answer,
            "continuation": planned_prompt.continuation,
            "separator": planned_prompt.separator,
            "examples": planned_prompt.examples,
        },
        "few_shot": {**few_shot.model_dump(mode="json"), "same_item": SAME_ITEM}
        if n_shots
        else None,
        "seed": run.seed if n_shots else None,
        "generation": planned_generation.as_json(),
    }
    extract, origin = defaults.extract, f"{where}, data set '{dataset.name}'"
    if "extract" in config.model_fields_set:
        extract, origin = config.extract, f"{where}.extract"
    reasoning_tags = _first_set(
        config.reasoning_tags, model.reasoning_tags, run.reasoning_tags, defaults.reasoning_tags
    )
    truncated = config.truncated or run.truncated
    scored: dict[str, Json] = {
        "scoring": SCORING_REVISION,
        "limit": limit,
        **_describe_extract(extract, origin),
        "answer_by": answer_by,
        "reasoning_tags": None if reasoning_tags is None else [list(tag) for tag in reasoning_tags],
        "truncated": None if truncated == "score" else truncated,
        "metrics": {
            item.name: {"definition": item.metric.definition, **item.settings} for item in metrics
        },
    }
    variant = [config.variant] if config.variant is not None else []
    cache_key = fingerprint([model.name, model.info.cache_key, asked])
    return PlannedTask(
        key=task_key(name, n_shots, config.variant),
        dataset_name=name,
        dataset=dataset,
        dataset_fingerprint=content,
        n_shots=n_shots,
        n_samples=size if limit is None or size is None else min(size, limit),
        limit=limit,
        seed=run.seed,
        mode=mode,
        answer_by=answer_by,
        prompt=planned_prompt,
        few_shot=few_shot,
        generation=planned_generation,
        extract=extract,
        metrics=metrics,
        fingerprint=fingerprint([cache_key, name, scored, *variant]),
        cache_key=cache_key,
        settings={
            **asked,
            **scored,
            "generation": public_settings(planned_generation.as_json()),
            "model": dict(model.settings),
        },
        reasoning_tags=reasoning_tags,
        truncated=truncated,
        n_total=size,
        variant=config.variant,
    )


def _first_set(*tags: Tags | None) -> Tags | None:
    """Take the first that is set; an empty one is."""
    return next((one for one in tags if one is not None), None)


def _for_answers(planned: PlannedMetric, answer_by: AnswerBy, where: str) -> PlannedMetric:
    """Take a metric as it is for answers of this kind, if it tells kinds apart."""
    metric = planned.metric
    if not isinstance(metric, AnswerAwareMetric):
        return planned
    what = f"metric '{planned.name}' cannot be planned for answers by {answer_by}"
    with wrap_plugin_errors(PluginError, what, where=where):
        return replace(planned, metric=metric.for_answers(answer_by))


def _describe_extract(extract: ExtractConfig | None, where: str) -> dict[str, Json]:
    """Return what of the setting decides the numbers.

    Raises:
        ConfigError: a pattern of the data set's own is not a regular expression.
    """
    described: dict[str, Json] = {"extract": describe_extract(extract)}
    if extract is not None and Extractor(extract, where=where).reads_groups_in_turn:
        described["extract_group"] = "first filled"  # earlier versions read group 1 alone
    return described


def _overlay(first: _SettingsT, *others: _SettingsT) -> _SettingsT:
    """Lay settings over each other: of each key, the last that was set counts."""
    update = {}
    for settings in others:
        for key in settings.model_fields_set:
            value = getattr(settings, key)
            if value is not None:
                update[key] = value
    return first.model_copy(update=update)


def _answer_by(wanted: AnswerBy, model: PlannedModel, dataset: Dataset) -> AnswerBy:
    """Decide `auto`: by what the first sample has, and by what the model can."""
    if wanted != "auto":
        return wanted
    first = next(iter(dataset.samples()), None)
    if first is None or not first.choices:
        return "generation"
    if not isinstance(first.input, str) and "chat" in model.info.modes:
        return "letter"  # a conversation is no one text that choices could continue
    return "loglikelihood" if "loglikelihood" in model.info.modes else "letter"


def _mode(
    wanted: Literal["chat", "completion"] | None,
    answer_by: AnswerBy,
    model: PlannedModel,
    where: str,
) -> Mode:
    modes = model.info.modes
    mode: Mode = "loglikelihood"
    if answer_by != "loglikelihood":
        mode = wanted or ("chat" if "chat" in modes else "completion")
    if mode not in modes:
        raise ConfigError(
            f"model '{model.name}' cannot be asked for {mode}",
            where=where,
            hint=f"it can: {', '.join(sorted(modes))}",
        )
    return mode


def _fill_prompt(prompt: PromptConfig, of_task: PromptConfig, answer_by: AnswerBy) -> PlannedPrompt:
    """Fill in our own defaults; by letter, a data set's own question would hide the choices."""
    if answer_by == "letter":
        template, answer = of_task.template or _LETTER_TEMPLATE, of_task.answer or " {{ letter }}"
    else:
        template = "{{ input }}" if prompt.template is None else prompt.template
        answer = " {{ references[0] }}" if prompt.answer is None else prompt.answer
    return PlannedPrompt(
        system=prompt.system,
        preamble=prompt.preamble,
        template=template,
        answer=answer,
        continuation=prompt.continuation if prompt.continuation is not None else " {{ choice }}",
        separator=prompt.separator if prompt.separator is not None else "\n\n",
        examples=prompt.examples or "turns",
    )
