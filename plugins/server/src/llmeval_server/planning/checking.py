"""From a run file as it was sent to what a job keeps: read it, confine it, plan it, count it."""

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
from llmeval_core.hooks import ConfigError, Dataset, Sample
from llmeval_server.jobs.confinement import Confinement
from llmeval_server.planning.bounds import check_bounds
from llmeval_server.planning.messages import Planned
from llmeval_server.settings import ServerSettings, variable_of

RUN_FILE = Path("run file")
LONGEST_JOB_NAME = 200
_DEEPEST = 50


def check_run(
    run: dict[str, Any] | str, settings: ServerSettings, session: Session, *, counts: bool
) -> Planned:
    """Check a run file, and count what it would ask if that is wanted; blocking.

    Args:
        run: YAML text, or JSON (Any).
        settings: of the server.
        session: its plugins.
        counts: whether requests are counted, for which all samples are read.

    Raises:
        LlmevalError: it is wrong, too large, or names what it may not.
    """
    config, origin = _read(run)
    check_bounds(config, origin, settings)
    confined = Confinement(settings, session.catalog).confine(config, origin)
    try:
        plan = make_plan(confined, session.catalog, origin=origin, observer=session.host)
    except ValueError as err:  # a path with a NUL byte, say
        raise ConfigError(f"the run file cannot be planned: {err}") from err
    tasks = tuple(count(plan, settings)) if counts else None
    return Planned(
        run=_as_json(confined), name=_name_of(plan), plan=dict(plan.describe()), tasks=tasks
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


class _Allowance:
    """How many samples may still be read."""

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
    """A data set that gives no more samples than are allowed in all."""

    def __init__(self, dataset: Dataset, allowance: _Allowance) -> None:
        self._dataset = dataset
        self._allowance = allowance

    def __getattr__(self, name: str) -> Any:  # Any: whatever the data set has
        return getattr(self._dataset, name)

    def samples(self) -> Iterator[Sample]:
        """Give the samples."""
        return self._counted(self._dataset.samples())

    def few_shot_pool(self) -> Iterator[Sample]:
        """Give the examples."""
        return self._counted(self._dataset.few_shot_pool())

    def _counted(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            self._allowance.take()
            yield sample


def _bounded(plan: Plan, most: int) -> Plan:
    allowance = _Allowance(most)
    evaluations = tuple(
        replace(
            evaluation,
            tasks=tuple(
                replace(task, dataset=_BoundedDataset(task.dataset, allowance))
                for task in evaluation.tasks
            ),
        )
        for evaluation in plan.evaluations
    )
    return replace(plan, evaluations=evaluations)


def _read(run: dict[str, Any] | str) -> tuple[RunConfig, Origin]:
    try:
        if isinstance(run, str):
            return read_run_text(run, RUN_FILE)
        _refuse_depth(run)
        origin = Origin()
        return validate(RunConfig, run, origin=origin), origin
    except RecursionError:
        raise ConfigError("the run file is nested too deeply") from None


def _refuse_depth(value: object, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise ConfigError("the run file is nested too deeply")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _refuse_depth(item, depth + 1)


def _as_json(config: RunConfig) -> dict[str, Any]:
    """Write a run file as JSON, with what was said in it and no more.

    Raises:
        ConfigError: it has values that JSON cannot say.
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
    """Call a job by its models and data sets."""
    models = dict.fromkeys(item.model.name for item in plan.evaluations)
    datasets = dict.fromkeys(task.dataset_name for item in plan.evaluations for task in item.tasks)
    name = f"{', '.join(models)} · {', '.join(datasets)}"
    return name if len(name) <= LONGEST_JOB_NAME else f"{name[: LONGEST_JOB_NAME - 1]}…"
