"""The messages between a server and its planning processes, as JSON."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from llmeval_core.api import TaskPreview

MessageT = TypeVar("MessageT", bound=BaseModel)


class _PlanMessage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def encode(message: BaseModel) -> bytes:
    """Encode a message; it may contain any text, lone surrogates too."""
    return json.dumps(message.model_dump()).encode()


def decode(message_type: type[MessageT], data: bytes) -> MessageT:
    """Decode a message.

    Raises:
        ValueError: it is not a message of this type.
    """
    return message_type.model_validate(json.loads(data))


class PlanningSetup(_PlanMessage):
    """What a planning process works with, the same in each request.

    Args:
        session: `MODULE:FUNCTION` that makes the session; the installed plugins if empty.
        plugins: the names of the plugins to load.
        settings: the server's settings without its secrets.
    """

    session: str
    plugins: tuple[str, ...]
    settings: dict[str, Any]  # Any: JSON


class PlanRequest(_PlanMessage):
    """A run file to be planned.

    Args:
        setup: what the process works with.
        run: YAML text, or JSON (Any).
        counts: whether to count requests, which reads all samples.
        within_s: after how long the process ends itself, seconds.
    """

    setup: PlanningSetup
    run: dict[str, Any] | str
    counts: bool
    within_s: float


class PlannedRun(_PlanMessage):
    """A checked and planned run file, free of secrets.

    Args:
        run: the run file as JSON (Any), with real paths, `${NAME}` as written.
        name: the job's name if none is given.
        plan: the plan, as `llmeval plan --json` prints it (Any: JSON).
        tasks: the counted tasks; None if that was not wanted.
    """

    run: dict[str, Any]
    name: str
    plan: dict[str, Any]
    tasks: tuple[TaskPreview, ...] | None


class PlanRejection(_PlanMessage):
    """Why a run file cannot be planned.

    Args:
        kind: `error`: see `error_class`; `bug`: `what` is a traceback for the log.
        error_class: the name of the error's class, which determines the HTTP status.
        what, where, hint: see `LlmevalError`.
    """

    kind: Literal["error", "bug"]
    error_class: str
    what: str
    where: str | None = None
    hint: str | None = None


class PlanReply(_PlanMessage):
    """The answer to a request: either a plan or a rejection."""

    planned: PlannedRun | None = None
    rejection: PlanRejection | None = None
