"""What a server and its planning processes say to each other: JSON, with its length before it."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from llmeval_core.api import TaskPreview

LENGTH_BYTES = 8


MessageT = TypeVar("MessageT", bound=BaseModel)


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def packed(message: BaseModel) -> bytes:
    """Write a message with its length; any text can be in it, halves of surrogate pairs too."""
    text = json.dumps(message.model_dump()).encode()
    return len(text).to_bytes(LENGTH_BYTES, "big") + text


def unpacked(kind: type[MessageT], text: bytes) -> MessageT:
    """Read a message of a kind.

    Raises:
        ValueError: it is none.
    """
    return kind.model_validate(json.loads(text))


class Start(_Message):
    """The first message to a process: what it works with.

    Args:
        path: where modules are found.
        session: `MODULE:FUNCTION` that gives the session; the installed plugins if empty.
        plugins: names of the plugins to be loaded.
        settings: of the server, without its secrets.
    """

    path: tuple[str, ...]
    session: str
    plugins: tuple[str, ...]
    settings: dict[str, Any]  # Any: JSON


class PlanRequest(_Message):
    """A run file to be planned.

    Args:
        run: YAML text, or JSON (Any).
        counts: whether requests are counted, for which all samples are read.
        within_s: when the process is to end itself, seconds.
    """

    run: dict[str, Any] | str
    counts: bool
    within_s: float


class Planned(_Message):
    """A run file that is fit to be a job; free of secrets.

    Args:
        run: the run file as JSON (Any), with real paths, `${NAME}` as written.
        name: what to call the job if nobody does.
        plan: what would be run, as `llmeval plan --json` prints it (Any: JSON).
        tasks: each counted; None if that was not wanted.
    """

    run: dict[str, Any]
    name: str
    plan: dict[str, Any]
    tasks: tuple[TaskPreview, ...] | None


class Refused(_Message):
    """Why a run file cannot be planned.

    Args:
        kind: `error`: see `error_class`; `bug`: `what` is a traceback for the log.
        error_class: the name of the error's class, which decides the HTTP status.
        what, where, hint: as an `LlmevalError` has them.
    """

    kind: Literal["error", "bug"]
    error_class: str
    what: str
    where: str | None = None
    hint: str | None = None


class PlanReply(_Message):
    """One of both."""

    planned: Planned | None = None
    refused: Refused | None = None
