"""Pages of a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmeval_core.records import TrackerStatus


@dataclass(frozen=True, slots=True)
class RouteContext:
    """What a route is told about the server that mounts it; all functions block.

    Args:
        home: the project's folder for llmeval's own files.
        tracker_statuses: what each tracker has, and what waits for it.
        deliver: delivers the pending results of the tracker of this name, and says in one line how
            it went.
        deliver_again: delivers the current result of each model and task once more to the tracker
            of this name, and what is pending; says in one line how it went.
        log_lines: gives the newest lines of the server's log that have a word in them, oldest
            first.
    """

    home: Path
    tracker_statuses: Callable[[], Sequence[TrackerStatus]]
    deliver: Callable[[str], str]
    deliver_again: Callable[[str], str]
    log_lines: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Route:
    """An ASGI application and the path prefix under which a server mounts it.

    The server checks hosts, tokens and origins before a request gets here, and runs the
    application's ASGI lifespan with its own, so that it can start and end what it needs.

    Args:
        prefix: such as `/proxy-mlflow`; starts with a slash, ends without.
        app: makes the ASGI application; called once, in the server's process.
        summary: one line for the server's own index.
        title: what a menu calls it; None for no place in the menu.
        model_path: the path of a page about one model, from the server's root, in which
            `{model}` stands for its quoted name: `/debug-mlflow/run?model={model}`; None if
            there is none.
    """

    prefix: str
    app: Callable[[RouteContext], Any]  # Any: ASGI applications have no common static type
    summary: str
    title: str | None = None
    model_path: str | None = None
