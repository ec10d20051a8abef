"""From what a client sends to an accepted job: read it, confine it, plan it, keep it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError
from starlette.concurrency import run_in_threadpool

from llmeval_core.hooks import ConfigError
from llmeval_core.library import Origin, Plan, RunConfig, make_plan, read_run_text, validate
from llmeval_server.context import ServerContext
from llmeval_server.jobs.confinement import Confinement
from llmeval_server.jobs.records import Job

RUN_FILE = Path("run file")
_LONGEST_NAME = 200
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class CheckedRun:
    """A run file that is fit to be a job.

    Args:
        run: the run file as JSON, with real paths, `${NAME}` as written.
        plan: what would be run.
    """

    run: dict[str, Any]  # Any: JSON
    plan: Plan


async def submit(
    context: ServerContext, run: dict[str, Any] | str, *, name: str = "", key: str | None = None
) -> Job:
    """Accept a run file as a job; durable on return.

    Args:
        context: the server.
        run: the run file, as YAML text or as JSON (Any).
        name: what people call the job; models and data sets if empty.
        key: an idempotency key.

    Raises:
        LlmevalError: the run file is wrong, asks for what it may not have, or cannot be kept.
    """
    checked = await check(context, run)
    name = _name(name) or _name_of(checked.plan)
    return await run_in_threadpool(context.jobs.submit, checked.run, name=name, key=key)


async def check(context: ServerContext, run: dict[str, Any] | str) -> CheckedRun:
    """Check a run file as `submit` does, and keep nothing.

    Raises:
        LlmevalError: as `submit`.
    """
    # Not among the threads that answer quick requests: reading a data set may take long.
    return await asyncio.to_thread(_check, context, run)


def _check(context: ServerContext, run: dict[str, Any] | str) -> CheckedRun:
    config, origin = _read(run)
    confinement = Confinement(context.settings, context.session.catalog)
    confined = confinement.confine(config, origin)
    try:
        plan = make_plan(
            confined, context.session.catalog, origin=origin, observer=context.session.host
        )
    except ValueError as err:  # a path with a NUL byte, say
        raise ConfigError(f"the run file cannot be planned: {err}") from err
    return CheckedRun(_as_json(confined), plan)


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


def _name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ConfigError(
            f"a job's name is one line of at most {_LONGEST_NAME} characters", where="name"
        )
    return name


def _name_of(plan: Plan) -> str:
    """Call a job by its models and data sets."""
    models = dict.fromkeys(item.model.name for item in plan.evaluations)
    datasets = dict.fromkeys(task.dataset_name for item in plan.evaluations for task in item.tasks)
    name = f"{', '.join(models)} · {', '.join(datasets)}"
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
