"""Turns a submitted run file into a job's: parse it, apply the policy, plan it, count it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError

from llmeval_core.api import (
    Origin,
    Plan,
    RunConfig,
    Session,
    TaskPreview,
    existing_journal,
    make_plan,
    preview,
    read_run_text,
    validate,
)
from llmeval_core.hooks import ConfigError, Dataset, Item, Sample, Task
from llmeval_server.jobs.job_policy import JobPolicy
from llmeval_server.planning.plan_messages import PlannedRun
from llmeval_server.planning.run_file_limits import check_limits
from llmeval_server.server_settings import ServerSettings, variable_of

RUN_FILE = Path("run file")
MAX_JOB_NAME_LENGTH = 200
_MAX_DEPTH = 50


def check_run(
    run: dict[str, Any] | str, settings: ServerSettings, session: Session, *, counts: bool
) -> PlannedRun:
    """Check a run file, and count its requests if wanted; blocking.

    Args:
        run: YAML text, or JSON (Any).
        settings: the server's settings.
        session: the loaded plugins.
        counts: whether to count requests, which reads all samples.

    Raises:
        LlmevalError: it is wrong, too large, or names something that it may not.
    """
    config, origin = _parse(run)
    check_limits(config, origin, settings)
    config = JobPolicy(settings, session.catalog).apply(config, origin)
    try:
        plan = make_plan(config, session.catalog, origin=origin, observer=session.host)
    except ValueError as err:  # a path with a NUL byte, say
        raise ConfigError(f"the run file cannot be planned: {err}") from err
    tasks = tuple(count(plan, settings)) if counts else None
    return PlannedRun(
        run=_as_json(config), name=_name_of(plan), plan=dict(plan.describe()), tasks=tasks
    )


def count(plan: Plan, settings: ServerSettings) -> list[TaskPreview]:
    """Count the requests of each task.

    Raises:
        LlmevalError: a data set or a prompt is wrong, or there is too much to read.
    """
    bounded = _bounded(plan, settings.max_plan_samples)
    try:
        journal = existing_journal(settings.home)
    except ConfigError:  # before the first run
        return preview(bounded, None)
    with journal:
        return preview(bounded, journal)


class _SampleBudget:
    """The number of samples that may still be read."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.left = most

    def take(self) -> None:
        """Take one sample.

        Raises:
            ConfigError: there is none left.
        """
        if self.left == 0:
            raise ConfigError(
                f"this plan would read more than {self.most:,} samples",
                where="tasks",
                hint=f"set a `limit`, or plan fewer models and tasks at once; "
                f"{variable_of('max_plan_samples')} on the server allows more. "
                "The job itself may be submitted as it is",
            )
        self.left -= 1


class _BoundedDataset:
    """A data set whose samples count against a budget."""

    def __init__(self, dataset: Dataset, budget: _SampleBudget) -> None:
        self._dataset = dataset
        self._budget = budget

    def __getattr__(self, name: str) -> Any:  # Any: whatever the data set offers
        return getattr(self._dataset, name)

    def samples(self) -> Iterator[Sample]:
        """Yield the samples."""
        return self._counted(self._dataset.samples())

    def few_shot_pool(self) -> Iterator[Sample]:
        """Yield the few-shot examples."""
        return self._counted(self._dataset.few_shot_pool())

    def _counted(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            self._budget.take()
            yield sample


class _BoundedTask:
    """A ready-made task whose items count against a budget."""

    def __init__(self, task: Task, budget: _SampleBudget) -> None:
        self._task = task
        self._budget = budget

    def __getattr__(self, name: str) -> Any:  # Any: whatever the task offers
        return getattr(self._task, name)

    def items(self) -> Iterator[Item]:
        """Yield the items."""
        for item in self._task.items():
            self._budget.take()
            yield item


def _bounded(plan: Plan, most: int) -> Plan:
    budget = _SampleBudget(most)
    evaluations = tuple(
        replace(
            evaluation,
            tasks=tuple(
                replace(
                    task,
                    dataset=_BoundedDataset(task.dataset, budget),
                    task=_BoundedTask(task.task, budget) if task.task is not None else None,
                )
                for task in evaluation.tasks
            ),
        )
        for evaluation in plan.evaluations
    )
    return replace(plan, evaluations=evaluations)


def _parse(run: dict[str, Any] | str) -> tuple[RunConfig, Origin]:
    try:
        if isinstance(run, str):
            return read_run_text(run, RUN_FILE)
        _check_depth(run)
        origin = Origin()
        return validate(RunConfig, run, origin=origin), origin
    except RecursionError:
        raise ConfigError("the run file is nested too deeply") from None


def _check_depth(value: object, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise ConfigError("the run file is nested too deeply")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, depth + 1)


def _as_json(config: RunConfig) -> dict[str, Any]:
    """Convert a run file to JSON with only the keys that were given.

    Raises:
        ConfigError: it has values that JSON does not have.
    """
    try:
        run: dict[str, Any] = config.model_dump(mode="json", exclude_unset=True)
        text = json.dumps(run, ensure_ascii=False, allow_nan=False).encode()
    except (PydanticSerializationError, ValueError) as err:  # UnicodeEncodeError is one
        raise ConfigError(
            "the run file has a value that JSON cannot say", hint="write text and finite numbers"
        ) from err
    if b"\\u0000" in text:
        raise ConfigError("the run file has a NUL character, which no text has")
    return run


def _name_of(plan: Plan) -> str:
    """Make a job's name from its models and data sets."""
    models = dict.fromkeys(item.model.name for item in plan.evaluations)
    datasets = dict.fromkeys(task.dataset_name for item in plan.evaluations for task in item.tasks)
    name = f"{', '.join(models)} · {', '.join(datasets)}"
    return name if len(name) <= MAX_JOB_NAME_LENGTH else f"{name[: MAX_JOB_NAME_LENGTH - 1]}…"
