"""A ready-made task of one model: it brings its own prompts and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from llmeval_core.catalog.generation_defaults import fill_generation, lay_over
from llmeval_core.catalog.prompt_defaults import fill_prompt
from llmeval_core.catalog.public_settings import shown_settings
from llmeval_core.catalog.roles import identity_of_roles, models_asked
from llmeval_core.catalog.task_adapters import TaskItems, TaskMetric
from llmeval_core.config import FewShotConfig, GenerationConfig, PromptConfig, RunConfig, TaskConfig
from llmeval_core.contracts import MODEL, Task, TaskGeneration, TaskOptions, TaskSet, TaskSource
from llmeval_core.errors import ConfigError, PluginError, wrap_plugin_errors
from llmeval_core.naming import NAME_PATTERN, Json, canonical_json, fingerprint_of_text, task_key
from llmeval_core.plan import PlannedMetric, PlannedModel, PlannedRole, PlannedTask
from llmeval_core.records import Mode

READY_TASK_REVISION = 1


"""Raised when the engine begins to ask or to score ready-made tasks otherwise."""


def load_tasks(
    component: Task | TaskSource, options: TaskOptions, *, name: str, where: str
) -> TaskSet:
    """Get the tasks that one entry of the run file stands for.

    Raises:
        LlmevalError: there is none, or one is not as it should be.
    """
    if isinstance(component, TaskSource):
        with wrap_plugin_errors(PluginError, f"task '{name}' cannot be loaded", where=where):
            loaded = component.load(options)
            if not isinstance(loaded, TaskSet):
                raise TypeError(f"load() gave a {type(loaded).__name__}, not a TaskSet")
    else:
        if options.n_shots not in (None, component.n_shots):
            raise ConfigError(
                f"task '{name}' shows {component.n_shots} examples, not {options.n_shots}",
                where=where,
                hint="leave `shots` out",
            )
        loaded = TaskSet((component,))
    if not loaded.tasks:
        raise ConfigError(f"task '{name}' stands for no task", where=where)
    for task in loaded.tasks:
        _check(task, where)
    return loaded


def _check(task: Task, where: str) -> None:
    if not isinstance(task, Task):
        raise PluginError(
            f"what is loaded is a {type(task).__name__}, not a Task",
            where=where,
            hint="this is a bug in the plugin; tell its author",
        )
    for what, name in (("task", task.name), *(("metric", name) for name in task.metrics)):
        if not NAME_PATTERN.fullmatch(name):
            raise PluginError(
                f"'{name}' cannot be the name of a {what}: no space, slash or colon", where=where
            )
    for what in ("metrics", "modes"):
        if not getattr(task, what):
            raise PluginError(f"task '{task.name}' has no {what}", where=where)


class TaskLoading:
    """Loads the tasks of an entry; once more for each model with generation settings of its own.

    Args:
        component: what the plugin made.
        config: the entry.
        run: the whole run file.
        n_shots: how many examples; None for the tasks' own number.
        name: what the entry calls the component.
        where: the entry's place in the run file, for errors.
    """

    def __init__(
        self,
        component: Task | TaskSource,
        config: TaskConfig,
        *,
        run: RunConfig,
        n_shots: int | None,
        name: str,
        where: str,
    ) -> None:
        self._component = component
        self._config = config
        self._run = run
        self._n_shots = n_shots
        self._name = name
        self._where = where
        self._loaded: dict[str, TaskSet] = {}

    def load(self, of_model: GenerationConfig | None = None) -> TaskSet:
        """Load the tasks with what the run, a model and the entry say of how to generate.

        Raises:
            LlmevalError: see `load_tasks`.
        """
        run, config = self._run, self._config
        limits = [limit for limit in (config.limit, run.limit) if limit is not None]
        given = lay_over(
            GenerationConfig(), run.generation, of_model or GenerationConfig(), config.generation
        ).model_dump(mode="json", exclude_unset=True)
        key = canonical_json(given)
        if key not in self._loaded:
            options = TaskOptions(
                n_shots=self._n_shots,
                limit=min(limits) if limits else None,
                generation=given,
                seed=run.seed,
            )
            self._loaded[key] = load_tasks(
                self._component, options, name=self._name, where=self._where
            )
        return self._loaded[key]

    def task(self, name: str, n_shots: int, of_model: GenerationConfig) -> Task:
        """Give one of the tasks, as a model with these settings of its own is asked it.

        Raises:
            LlmevalError: see `load_tasks`.
            PluginError: with these settings there is no such task.
        """
        for task in self.load(of_model).tasks:
            if (task.name, task.n_shots) == (name, n_shots):
                return task
        raise PluginError(
            f"task '{self._name}' has no '{name}' for other generation settings",
            where=self._where,
            hint="this is a bug in the plugin; tell its author",
        )


class ReadyTaskPlanner:
    """Plans one ready-made task for one model after another.

    Args:
        config: its entry in the run file.
        task: the task.
        loading: gives the task again, for a model with generation settings of its own.
        run: the whole run file.
        roles: who has which role.
        plugin: the distribution that the task comes from, for messages.
        where: the entry's place in the run file, for errors.
    """

    def __init__(
        self,
        config: TaskConfig,
        task: Task,
        *,
        loading: TaskLoading,
        run: RunConfig,
        roles: Mapping[str, PlannedRole],
        plugin: str,
        where: str,
    ) -> None:
        self._config = config
        self._task = task
        self._loading = loading
        self._run = run
        self._roles = roles
        self._plugin = plugin
        self._where = where

    def plan(self, model: PlannedModel, generation: GenerationConfig) -> PlannedTask:
        """Fill in everything that the entry leaves open.

        Raises:
            ConfigError: the model cannot be asked as the task wants, or a role has no model.
        """
        config, run = self._config, self._run
        task = self._loading.task(self._task.name, self._task.n_shots, generation)
        mode = self._mode(model)
        limits = [limit for limit in (config.limit, run.limit) if limit is not None]
        limit = min(limits) if limits else None
        prompt = fill_prompt(PromptConfig(), PromptConfig(), "generation")
        settings = fill_generation(
            lay_over(_own_generation(task), run.generation, generation, config.generation),
            mode,
            prompt,
        )
        others = {name: n for name, n in task.roles.items() if name != MODEL}
        with wrap_plugin_errors(PluginError, f"task '{task.name}' cannot be planned"):
            content, size = task.fingerprint(), task.size()
        asked: dict[str, Json] = {
            "ready_task": READY_TASK_REVISION,
            "dataset": content,
            "n_shots": task.n_shots,
            "mode": mode,
            "generation": settings.as_json(),
        }
        tags = model.reasoning_tags if model.reasoning_tags is not None else run.reasoning_tags
        if tags is not None:
            asked["reasoning_tags"] = [list(pair) for pair in tags]
        if others:
            asked["roles"] = identity_of_roles(others, self._roles, where=self._where)
        asked_models = models_asked(others, self._roles)
        metrics = tuple(
            PlannedMetric(name, TaskMetric(info), {}, self._plugin, asked_models)
            for name, info in task.metrics.items()
        )
        scored: dict[str, Json] = {
            "limit": limit,
            "metrics": {planned.name: planned.definition for planned in metrics},
        }
        if run.truncated != "score":
            scored["truncated"] = run.truncated
        asked_json = canonical_json(asked)
        variant = [config.variant] if config.variant is not None else []
        scored_json = canonical_json([task.name, scored, *variant])[1:-1]
        head = f"{canonical_json(model.name)},{canonical_json(model.info.cache_key)}"
        cache_key = fingerprint_of_text(f"[{head},{asked_json}]")
        return PlannedTask(
            key=task_key(task.name, task.n_shots, config.variant),
            dataset_name=task.name,
            dataset=TaskItems(task),
            dataset_fingerprint=content,
            n_shots=task.n_shots,
            n_samples=size if limit is None or size is None else min(size, limit),
            limit=limit,
            seed=run.seed,
            mode=mode,
            answer_by="generation",
            prompt=prompt,
            few_shot=FewShotConfig(),
            generation=settings,
            extract=None,
            metrics=metrics,
            fingerprint=fingerprint_of_text(f'["{cache_key}",{scored_json}]'),
            cache_key=cache_key,
            definition_fingerprint=fingerprint_of_text(f"[{asked_json},{scored_json}]"),
            settings={**shown_settings({**asked, **scored}), "model": dict(model.settings)},
            reasoning_tags=tags,
            truncated=run.truncated,
            n_total=size,
            variant=config.variant,
            task=task,
            roles=dict(task.roles),
        )

    def _mode(self, model: PlannedModel) -> Mode:
        """Choose the mode that stands for the task; the model must know all of its modes."""
        lacking = self._task.modes - model.info.modes
        if lacking:
            raise ConfigError(
                f"model '{model.name}' cannot be asked for {', '.join(sorted(lacking))}",
                where=f"{self._where}, task '{self._task.name}'",
                hint=f"it can: {', '.join(sorted(model.info.modes))}",
            )
        return min(self._task.modes)


def _own_generation(task: Task) -> GenerationConfig:
    """Take what a task says of how its answers are generated.

    Raises:
        PluginError: it is something else.
    """
    if not isinstance(task, TaskGeneration):
        return GenerationConfig()
    with wrap_plugin_errors(PluginError, f"task '{task.name}' cannot be planned"):
        own: object = task.generation
        if not isinstance(own, GenerationConfig):
            raise TypeError(f"its generation is a {type(own).__name__}, not a GenerationConfig")
    return own


def renamed(task: PlannedTask, name: str) -> PlannedTask:
    """Give the only task of an entry the name that the run file has for it."""
    key = task_key(name, task.n_shots, task.variant)
    return replace(
        task,
        key=key,
        dataset_name=name,
        fingerprint=fingerprint_of_text(canonical_json([task.fingerprint, name])),
    )
