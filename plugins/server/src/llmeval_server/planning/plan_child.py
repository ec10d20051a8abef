"""A process that plans run files, one after another, until it is killed or no longer needed.

Run as `python -m llmeval_server.planning.plan_child`; see `plan_messages`. What
plugins print goes to standard error. It ends with the server, however that ends, and by itself when
a plan takes too long: both also when no line of Python can run in it any more.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import IO

import importlib_metadata

from llmeval_core.api import Origin, Session, make_session, validate
from llmeval_core.hooks import ENTRY_POINT_GROUP, LlmevalError
from llmeval_server.planning.plan_messages import (
    LENGTH_BYTES,
    PlanChildSetup,
    PlannedRun,
    PlanRejection,
    PlanReply,
    PlanRequest,
    packed,
    unpacked,
)
from llmeval_server.planning.run_file_check import check_run
from llmeval_server.server_settings import ServerSettings

_PARENT_DEATH_SIGNAL = 1  # prctl's option PR_SET_PDEATHSIG, Linux only
_RARELY_NEEDED_S = 2.0
"""How much later than the server the process ends itself."""


def main() -> None:
    """Answer requests until the server closes its end."""
    server = os.getppid()
    _end_with(server)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a plugin that prints must not break into our replies
    requests = sys.stdin.buffer
    first = _receive(requests)
    if first is None:
        return
    start = unpacked(PlanChildSetup, first)
    settings = validate(ServerSettings, start.settings, origin=Origin())
    _limit_memory(settings.max_plan_megabytes)
    session: Session | None = None
    while (told := _receive(requests)) is not None:
        request = unpacked(PlanRequest, told)
        with _deadline(request.within_s + _RARELY_NEEDED_S):
            if session is None:
                sys.path[:] = start.path
                session = _session(start)
            reply = _reply(request, settings, session, most_bytes=settings.max_plan_bytes)
        replies.write(reply)
        replies.flush()


def _reply(
    request: PlanRequest, settings: ServerSettings, session: Session, *, most_bytes: int
) -> bytes:
    """Plan, and say how it went; never raises."""
    redact = session.catalog.redactor
    try:
        planned = check_run(request.run, settings, session, counts=request.counts)
        reply = redact_planned(planned, redact)
    except (LlmevalError, MemoryError) as err:
        if isinstance(err, MemoryError) or isinstance(err.__cause__, MemoryError):
            reply = _too_large(f"{settings.max_plan_megabytes:,} MB of memory", "megabytes")
        else:
            reply = _refused(err, redact)
    except BaseException:  # noqa: BLE001  the border: a plugin can raise anything
        refused = PlanRejection(kind="bug", error_class="", what=redact(traceback.format_exc()))
        reply = PlanReply(rejection=refused)
    message = packed(reply)
    if len(message) > most_bytes:
        message = packed(_too_large(f"{most_bytes:,} bytes to be told", "bytes"))
    return message


def redact_planned(planned: PlannedRun, redact: Callable[[str], str]) -> PlanReply:
    """Take secrets out of what is shown; the run file itself has none."""
    shown = {"plan": planned.plan, "name": planned.name}
    cleaned = json.loads(redact(json.dumps(shown, ensure_ascii=False)))
    return PlanReply(planned=planned.model_copy(update=cleaned))


def _refused(err: LlmevalError, redact: Callable[[str], str]) -> PlanReply:
    return PlanReply(
        rejection=PlanRejection(
            kind="error",
            error_class=type(err).__name__,
            what=redact(err.what),
            where=redact(err.where) if err.where else None,
            hint=redact(err.hint) if err.hint else None,
        )
    )


def _too_large(than: str, setting: str) -> PlanReply:
    return PlanReply(
        rejection=PlanRejection(
            kind="error",
            error_class="ConfigError",
            what=f"the plan needs more than {than}",
            where="tasks",
            hint="set a `limit`, or name fewer models and tasks; "
            f"LLMEVAL_MAX_PLAN_{setting.upper()} on the server allows more",
        )
    )


def _session(start: PlanChildSetup) -> Session:
    """Load the plugins that the server has."""
    if start.session:
        module, _, name = start.session.partition(":")
        made: Session = getattr(importlib.import_module(module), name)()
        return made
    installed = {point.name for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)}
    return make_session(disabled=installed - set(start.plugins), environ={})


def _receive(requests: IO[bytes]) -> bytes | None:
    """Read one message; None at the end."""
    length = requests.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    return requests.read(int.from_bytes(length, "big"))


@contextlib.contextmanager
def _deadline(after_s: float) -> Iterator[None]:
    """Let the system end this process if the server does not come to it."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, after_s)
    try:
        yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


def _end_with(server: int) -> None:
    """Let the system kill this process when the server's thread that started it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to understand
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != server:
            os._exit(0)


def _limit_memory(megabytes: int) -> None:
    """Turn a plan that would eat the machine's memory into a MemoryError."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415  not there on Windows

        most = megabytes * 1_000_000
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    main()
