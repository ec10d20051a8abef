"""The errors a user can act on: what happened, where, and what to try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from llmeval_core.process_state import contained

FailureKind = Literal[
    "auth",
    "not_found",
    "bad_request",
    "filtered",
    "rate_limit",
    "overloaded",
    "connection",
    "timeout",
    "context_too_long",
    "malformed",
    "time_limit",
    "stopped",
    "prompt",
    "metric",
    "plugin",
]
"""Why a sample has no score: the model's reasons first, then the pipeline's own.

`stopped` is what an executor says of a request that it was given and did not send, because the run
ended: it is not kept, and the next run asks it. `plugin` is a bug in the plugin that should have
answered.
"""

_MOST_CHARACTERS = 2000
"""Characters of a plugin's error that are kept."""


class LlmevalError(Exception):
    """Stop with a message that the user can act on; the command line exits with 2.

    Args:
        what: what happened, one line, no full stop.
        where: file, line, key, or plugin and version; None if the whole run is meant.
        hint: what to try; None if there is nothing to suggest.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.where is not None:
            lines.append(f"  where: {self.where}")
        if self.hint is not None:
            lines.append(f"  try:   {self.hint}")
        return "\n".join(lines)


class ConfigError(LlmevalError):
    """A run file, a flag or a plugin's setting is wrong."""


class UnknownNameError(LlmevalError):
    """A data set, model provider, metric, tracker or executor that nobody offers."""


class PluginError(LlmevalError):
    """A plugin that a run needs is broken, or two plugins offer the same name."""


class DatasetError(LlmevalError):
    """A data set cannot be read: the file, the line and the field are in `where`."""


class JournalError(LlmevalError):
    """The journal cannot be opened, read or written."""


class ModelError(LlmevalError):
    """One request to a model failed; the engine decides by `kind` what follows.

    Args:
        kind: `auth` and `not_found` stop the model at once; `rate_limit`, `overloaded`,
            `connection`, `timeout` and `malformed` are tried again; `bad_request`,
            `context_too_long` and `filtered` (a moderation refused the request) fail the sample.
            Once the model has answered, `auth` and `not_found` too fail the sample, and end the
            model only if they go on.
        what: what happened, one line, without keys or tokens.
        retry_after_s: how long the server asks us to wait, seconds; None if it did not say.
        is_doubtful: True if an `auth` or `not_found` may be of this request alone, so that it
            ends the model only if others fail likewise.
    """

    def __init__(
        self,
        kind: FailureKind,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        retry_after_s: float | None = None,
        is_doubtful: bool = False,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.kind: FailureKind = kind
        self.retry_after_s = retry_after_s
        self.is_doubtful = is_doubtful


class TrackerError(LlmevalError):
    """A tracker could not take a result.

    Args:
        what: what happened, one line.
        permanent: True if trying the same result again cannot help; the delivery is then
            marked failed instead of pending.
        retry_after_s: how long the other side asks us to wait, seconds; None if it did not say.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        permanent: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


def must_propagate(err: BaseException) -> bool:
    """Say whether what a plugin raised must go on, because it is no failure of the plugin.

    That is Ctrl-C, and a cancellation that the engine asked for. Anything else is the plugin's
    failure, also if it is no `Exception`: SystemExit, the panic of a Rust extension, `pytest.skip`,
    and a CancelledError that nobody asked for.
    """
    import asyncio  # noqa: PLC0415  late: --help must not wait for it

    if isinstance(err, BaseExceptionGroup):
        return err.subgroup(KeyboardInterrupt) is not None
    if not isinstance(err, asyncio.CancelledError):
        return isinstance(err, KeyboardInterrupt)
    try:
        task = asyncio.current_task()
    except RuntimeError:  # in a thread, where nothing can be cancelled
        return False
    return task is not None and task.cancelling() > 0


def describe_error(err: BaseException) -> str:
    """Write a plugin's error as `KeyError: 'a'`; its text can be missing, endless, or fail."""
    name = type(err).__name__
    try:
        text = str(err)
    except BaseException as broken:
        if must_propagate(broken):
            raise
        text = f"(its text fails with {type(broken).__name__})"
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]} ..."
    return f"{name}: {text}" if text else name


@contextmanager
def wrap_plugin_errors(
    kind: type[PluginError] | type[DatasetError], what: str, *, where: str | None = None
) -> Iterator[None]:
    """Call a plugin in this block: errors of ours pass, any other is raised as one of ours.

    Args:
        kind: the class of the error that is raised instead.
        what: what we wanted of the plugin and did not get; the plugin's error is added.
        where: see `LlmevalError`.
    """
    try:
        with contained():
            yield
    except LlmevalError:
        raise
    except BaseException as err:  # plugin boundary: a plugin can raise anything
        if must_propagate(err):
            raise
        hint = "this is a bug in the plugin; tell its author" if kind is PluginError else None
        raise kind(f"{what}: {describe_error(err)}", where=where, hint=hint) from err
