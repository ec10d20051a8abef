"""One task of one model: defaults of data set, run, model and task laid over each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from llmeval_core.catalog.answer_ways import choose_answer_by, choose_mode, metric_for_answers
from llmeval_core.catalog.dataset_content import size_and_fingerprint
from llmeval_core.catalog.generation_defaults import fill_generation, lay_over
from llmeval_core.catalog.prompt_defaults import fill_prompt, overlay
from llmeval_core.catalog.public_settings import shown_settings
from llmeval_core.catalog.roles import identity_of_roles
from llmeval_core.catalog.solvers import (
    all_roles,
    describe_solver,
    refuse_what_is_lacking,
    roles_of_metrics,
    with_models_asked,
)
from llmeval_core.config import (
    ExtractConfig,
    FewShotConfig,
    GenerationConfig,
    RunConfig,
    TaskConfig,
    describe_extract,
)
from llmeval_core.contracts import Dataset
from llmeval_core.errors import DatasetError, wrap_plugin_errors
from llmeval_core.extraction import Extractor
from llmeval_core.naming import Json, canonical_json, fingerprint_of_text, task_key
from llmeval_core.plan import (
    PlannedMetric,
    PlannedModel,
    PlannedPrompt,
    PlannedRole,
    PlannedSolver,
    PlannedTask,
)
from llmeval_core.reasoning import Tags
from llmeval_core.records import GenerationSettings, Mode

PIPELINE_REVISION = 2


"""Raised when the same settings begin to give other requests."""


SCORING_REVISION = 2


"""Raised when the same answers begin to give other scores; they are scored again, not asked for.

2: reasoning is told apart by all known tags, also without the opening one.
"""


SAME_ITEM = "question, NFKC, no case, single spaces"


"""How it is found out that an example is the sample itself; see `prompting.few_shot`."""


def shots_of(config: TaskConfig, dataset: Dataset) -> tuple[int, ...]:
    """Return the numbers of examples: the task's, else the data set's own, else 0."""
    return (dataset.defaults.shots or 0,) if config.shots is None else config.shots


@dataclass(frozen=True, slots=True)
class _ModelFreePlan:
    """What all models have in common that are asked in the same way.

    Args:
        task: the task; its fingerprints and settings are not complete without a model.
        asked: canonical JSON of all that decides the requests, but for the model.
        scored: canonical JSON of all that decides the numbers besides, as items of a list.
    """

    task: PlannedTask
    asked: str
    scored: str


class TaskPlanner:
    """Plans one task of the run file for one model after another.

    What does not depend on the model is found out once: the data set's size and content, and the
    whole plan for models that can be asked in the same ways and have the same settings.

    Args:
        config: the task.
        n_shots: how many examples are shown.
        dataset, metrics: what it is made of.
        solver: how samples are answered; None for one request each.
        roles: who has which role.
        run: the whole run file.
        where: the task's place in it, for errors.
    """

    def __init__(
        self,
        config: TaskConfig,
        n_shots: int,
        *,
        dataset: Dataset,
        metrics: tuple[PlannedMetric, ...],
        solver: PlannedSolver | None = None,
        roles: Mapping[str, PlannedRole] | None = None,
        run: RunConfig,
        where: str,
    ) -> None:
        self._config = config
        self._n_shots = n_shots
        self._dataset = dataset
        self._metrics = metrics
        self._solver = solver
        self._roles = roles or {}
        self._run = run
        self._where = where
        self._content: tuple[int | None, str] | None = None
        self._planned: dict[tuple[frozenset[Mode], Tags | None, str], _ModelFreePlan] = {}

    def plan(self, model: PlannedModel, generation: GenerationConfig) -> PlannedTask:
        """Fill in everything that the task leaves open.

        What is said nearest to the task wins: the task, then the model, then the run, then the data
        set, then llmeval's own defaults.

        Args:
            model: the model.
            generation: its own generation settings.

        Raises:
            ConfigError: the model cannot be asked as the task wants.
            DatasetError: the data set cannot be read.
        """
        settings = f"{sorted(generation.model_fields_set)} {generation!r}"
        way = (frozenset(model.info.modes), model.reasoning_tags, settings)
        planned = self._planned.get(way)
        if planned is None:
            planned = self._planned[way] = self._plan_without_model(model, generation)
        refuse_what_is_lacking(model, self._solver, n=planned.task.generation.n, where=self._where)
        name, identity = canonical_json(model.name), canonical_json(model.info.cache_key)
        cache_key = fingerprint_of_text(f"[{name},{identity},{planned.asked}]")
        return replace(
            planned.task,
            fingerprint=fingerprint_of_text(f'["{cache_key}",{planned.scored}]'),
            cache_key=cache_key,
            settings={**planned.task.settings, "model": dict(model.settings)},
        )

    def _plan_without_model(
        self, model: PlannedModel, own_generation: GenerationConfig
    ) -> _ModelFreePlan:
        config, run, dataset, where = self._config, self._run, self._dataset, self._where
        defaults = dataset.defaults
        prompt = overlay(defaults.prompt, config.prompt)
        with wrap_plugin_errors(
            DatasetError, f"data set '{dataset.name}' cannot be read", where=where
        ):
            modes = model.info.modes
            if self._solver is not None:
                modes &= self._solver.solver.modes
            answer_by = choose_answer_by(config.answer_by or defaults.answer_by, modes, dataset)
            if self._content is None:
                self._content = size_and_fingerprint(dataset)
        size, content = self._content
        metrics = tuple(
            with_models_asked(metric_for_answers(planned, answer_by, where), self._roles)
            for planned in self._metrics
        )
        mode = choose_mode(prompt.mode, answer_by, model, where, modes)
        name = (config.dataset.name if config.dataset is not None else None) or dataset.name
        limits = [limit for limit in (config.limit, run.limit) if limit is not None]
        limit = min(limits) if limits else None
        planned_prompt = fill_prompt(prompt, config.prompt, answer_by)
        few_shot = config.few_shot or defaults.few_shot
        generation = fill_generation(
            lay_over(defaults.generation, run.generation, own_generation, config.generation),
            mode,
            planned_prompt,
        )
        extract, extract_where = defaults.extract, f"{where}, data set '{dataset.name}'"
        if "extract" in config.model_fields_set:
            extract, extract_where = config.extract, f"{where}.extract"
        reasoning_tags = _first_set(
            config.reasoning_tags, model.reasoning_tags, run.reasoning_tags, defaults.reasoning_tags
        )
        truncated = config.truncated or run.truncated
        asked = self._describe_requests(content, mode, planned_prompt, few_shot, generation)
        asked |= describe_solver(self._solver, self._roles, where=where)
        scored: dict[str, Json] = {
            "scoring": SCORING_REVISION,
            "limit": limit,
            **_describe_extract(extract, extract_where),
            "answer_by": answer_by,
            "reasoning_tags": None
            if reasoning_tags is None
            else [list(tag) for tag in reasoning_tags],
            "truncated": None if truncated == "score" else truncated,
            "metrics": {
                item.name: {"definition": item.definition, **item.settings} for item in metrics
            },
        }
        judges = roles_of_metrics(metrics)
        if judges:
            scored["roles"] = identity_of_roles(judges, self._roles, where=where)
        variant = [config.variant] if config.variant is not None else []
        asked_json = canonical_json(asked)
        scored_json = canonical_json([name, scored, *variant])[1:-1]
        task = PlannedTask(
            key=task_key(name, self._n_shots, config.variant),
            dataset_name=name,
            dataset=dataset,
            dataset_fingerprint=content,
            n_shots=self._n_shots,
            n_samples=size if limit is None or size is None else min(size, limit),
            limit=limit,
            seed=run.seed,
            mode=mode,
            answer_by=answer_by,
            prompt=planned_prompt,
            few_shot=few_shot,
            generation=generation,
            extract=extract,
            metrics=metrics,
            fingerprint="",
            cache_key="",
            definition_fingerprint=fingerprint_of_text(f"[{asked_json},{scored_json}]"),
            settings=shown_settings({**asked, **scored}),
            reasoning_tags=reasoning_tags,
            truncated=truncated,
            n_total=size,
            variant=config.variant,
            solver=self._solver,
            roles=all_roles(self._solver, judges),
        )
        return _ModelFreePlan(task, asked_json, scored_json)

    def _describe_requests(
        self,
        content: str,
        mode: Mode,
        prompt: PlannedPrompt,
        few_shot: FewShotConfig,
        generation: GenerationSettings,
    ) -> dict[str, Json]:
        """Say all that decides the requests, but for the model."""
        return {
            "pipeline": PIPELINE_REVISION,
            "dataset": content,
            "n_shots": self._n_shots,
            "mode": mode,
            "prompt": {
                "system": prompt.system,
                "preamble": prompt.preamble,
                "template": prompt.template,
                "answer": prompt.answer,
                "continuation": prompt.continuation,
                "separator": prompt.separator,
                "examples": prompt.examples,
            },
            **self._describe_few_shot(few_shot),
            "generation": generation.as_json(),
        }

    def _describe_few_shot(self, few_shot: FewShotConfig) -> dict[str, Json]:
        """Say all that decides the examples."""
        if not self._n_shots:
            return {"few_shot": None, "seed": None}
        if few_shot.select == "lm-eval":  # which has a seed and a rule for the sample of its own
            return {"few_shot": few_shot.as_json(), "seed": None}
        return {
            "few_shot": {**few_shot.as_json(), "same_item": SAME_ITEM},
            "seed": self._run.seed,
        }


def _first_set(*tags: Tags | None) -> Tags | None:
    """Take the first that is set; an empty one is."""
    return next((one for one in tags if one is not None), None)


def _describe_extract(extract: ExtractConfig | None, where: str) -> dict[str, Json]:
    """Return what of the setting decides the numbers.

    Raises:
        ConfigError: a pattern of the data set's own is not a regular expression.
    """
    described: dict[str, Json] = {"extract": describe_extract(extract)}
    if extract is not None and Extractor(extract, where=where).reads_groups_in_turn:
        described["extract_group"] = "first filled"  # earlier versions read group 1 alone
    return described
