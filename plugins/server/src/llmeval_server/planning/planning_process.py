"""The main program of a planning process: it plans run files, one after another.

The server starts it as `python -m llmeval_server.planning.planning_process` and asks it with the
messages of `plan_messages`. It ends with the server, and kills itself when a plan takes too long,
even if no Python code can run in it any more.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterator

import importlib_metadata

from llmeval_core.api import Origin, Session, make_session, validate
from llmeval_core.hooks import ENTRY_POINT_GROUP, LlmevalError
from llmeval_core.support import ParentChannel
from llmeval_server.planning.plan_messages import (
    PlannedRun,
    PlanningSetup,
    PlanRejection,
    PlanReply,
    PlanRequest,
    decode,
    encode,
)
from llmeval_server.planning.run_file_check import check_run
from llmeval_server.server_settings import ServerSettings

_LATER_THAN_SERVER_S = 2.0
"""How much later than the server the process ends itself, seconds."""


def main() -> None:
    """Answer requests until the server closes its end."""
    server = ParentChannel()
    session: Session | None = None
    for message in server:
        request = decode(PlanRequest, message)
        settings = validate(ServerSettings, request.setup.settings, origin=Origin())
        with _deadline(request.within_s + _LATER_THAN_SERVER_S):
            if session is None:
                _limit_memory(settings.max_plan_megabytes)
                session = _make_session(request.setup)
            reply = _reply(request, settings, session)
        server.answer(reply)


def _reply(request: PlanRequest, settings: ServerSettings, session: Session) -> bytes:
    """Plan a run file, and return the encoded reply; never raises."""
    redact = session.catalog.redactor
    try:
        planned = check_run(request.run, settings, session, counts=request.counts)
        reply = redact_planned(planned, redact)
    except (LlmevalError, MemoryError) as err:
        if isinstance(err, MemoryError) or isinstance(err.__cause__, MemoryError):
            reply = _too_large(f"{settings.max_plan_megabytes:,} MB of memory", "megabytes")
        else:
            reply = _rejected(err, redact)
    except BaseException:  # noqa: BLE001  the border: a plugin can raise anything
        what = redact(traceback.format_exc())
        reply = PlanReply(rejection=PlanRejection(kind="bug", error_class="", what=what))
    message = encode(reply)
    if len(message) > settings.max_plan_bytes:
        message = encode(_too_large(f"{settings.max_plan_bytes:,} bytes to be told", "bytes"))
    return message


def redact_planned(planned: PlannedRun, redact: Callable[[str], str]) -> PlanReply:
    """Remove secrets from what is shown; the run file itself contains none."""
    shown = {"plan": planned.plan, "name": planned.name}
    cleaned = json.loads(redact(json.dumps(shown, ensure_ascii=False)))
    return PlanReply(planned=planned.model_copy(update=cleaned))


def _rejected(err: LlmevalError, redact: Callable[[str], str]) -> PlanReply:
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


def _make_session(setup: PlanningSetup) -> Session:
    """Load the plugins that the server has loaded."""
    if setup.session:
        module, _, name = setup.session.partition(":")
        made: Session = getattr(importlib.import_module(module), name)()
        return made
    installed = {point.name for point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP)}
    return make_session(disabled=installed - set(setup.plugins), environ={})


@contextlib.contextmanager
def _deadline(after_s: float) -> Iterator[None]:
    """Have the system kill this process if the block takes too long."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, after_s)
    try:
        yield
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


def _limit_memory(megabytes: int) -> None:
    """Turn a plan that needs too much memory into a MemoryError."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415  not there on Windows

        most = megabytes * 1_000_000
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


if __name__ == "__main__":
    main()
