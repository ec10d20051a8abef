"""The messages between a server and its planning processes: JSON with a length prefix."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from llmeval_core.api import TaskPreview

LENGTH_BYTES = 8


MessageT = TypeVar("MessageT", bound=BaseModel)


class _PlanMessage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def packed(message: BaseModel) -> bytes:
    """Encode a message with its length; it may contain any text, lone surrogates too."""
    text = json.dumps(message.model_dump()).encode()
    return len(text).to_bytes(LENGTH_BYTES, "big") + text


def unpacked(message_type: type[MessageT], text: bytes) -> MessageT:
    """Decode a message of a type.

    Raises:
        ValueError: it is not valid.
    """
    return message_type.model_validate(json.loads(text))


class PlanChildSetup(_PlanMessage):
    """The first message to a process.

    Args:
        path: the search path of modules.
        session: `MODULE:FUNCTION` that makes the session; the installed plugins if empty.
        plugins: the names of the plugins to load.
        settings: the server's settings without its secrets.
    """

    path: tuple[str, ...]
    session: str
    plugins: tuple[str, ...]
    settings: dict[str, Any]  # Any: JSON


class PlanRequest(_PlanMessage):
    """A run file to be planned.

    Args:
        run: YAML text, or JSON (Any).
        counts: whether to count requests, which reads all samples.
        within_s: after how long the process ends itself, seconds.
    """

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
