"""Plans run files in child processes, in bounded time, and only while the client waits.

A request waits for one of `plans_at_once` slots, is planned in an idle process or a new one, and
frees the slot. A process that takes too long, or whose client disconnects, is killed. A process
that was idle for a while ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from llmeval_core.api import JournalError, PluginError, UnknownNameError
from llmeval_core.hooks import ConfigError, LlmevalError
from llmeval_core.support import ChildCommand, ChildEndedError, ChildProcess
from llmeval_server.context import ServerContext
from llmeval_server.http_error import HttpError
from llmeval_server.job_errors import ForbiddenError
from llmeval_server.planning.plan_messages import (
    PlannedRun,
    PlanningSetup,
    PlanRejection,
    PlanReply,
    PlanRequest,
    decode,
    encode,
)
from llmeval_server.server_settings import variable_of

MAX_WAITING = 64
"""How many requests may wait for a slot; more are refused."""
IDLE_S = 60.0
"""How long an idle process is kept, seconds."""
_RETRY_AFTER_S = "5"
_MODULE = "llmeval_server.planning.planning_process"
_ROOM_BYTES = 10_000  # for a refusal of what was too large
_CLIENT_DISCONNECTED = 499  # not a standard status, as nobody receives it; nginx logs it too
_ERRORS: dict[str, type[LlmevalError]] = {
    kind.__name__: kind
    for kind in (ConfigError, PluginError, UnknownNameError, JournalError, ForbiddenError)
}

_log = logging.getLogger("llmeval")

WaitForDisconnect = Callable[[], Awaitable[None]]
"""Returns when the client has disconnected."""


class Planner:
    """Checks and plans run files.

    Args:
        context: the server.
    """

    def __init__(self, context: ServerContext) -> None:
        self._settings = context.settings
        self._redact = context.session.catalog.redactor
        self._setup = _setup(context)
        self._slots = asyncio.Semaphore(context.settings.plans_at_once)
        self._n_waiting = 0
        self._idle: list[ChildProcess] = []
        self._cleanup: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Kill all processes at the end."""
        try:
            yield
        finally:
            await self._end_idle()

    async def plan(
        self, run: dict[str, Any] | str, *, counts: bool, wait_for_disconnect: WaitForDisconnect
    ) -> PlannedRun:
        """Check a run file, plan it, and count its requests if wanted.

        Args:
            run: YAML text, or JSON (Any).
            counts: whether to count requests, which reads all samples.
            wait_for_disconnect: returns when the client does not wait any longer.

        Raises:
            LlmevalError: the run file is wrong, too large, or names something that it may not.
            HttpError: too many plans are made now, it took too long, or the client disconnected.
        """
        planning = asyncio.create_task(self._in_time(run, counts=counts))
        disconnecting = asyncio.ensure_future(wait_for_disconnect())
        try:
            await asyncio.wait((planning, disconnecting), return_when=asyncio.FIRST_COMPLETED)
            if not planning.done():
                raise HttpError(_CLIENT_DISCONNECTED, "the client left before its plan was made")
            return planning.result()
        finally:
            for task in (planning, disconnecting):
                task.cancel()
            await asyncio.wait((planning, disconnecting))

    async def _in_time(self, run: dict[str, Any] | str, *, counts: bool) -> PlannedRun:
        within_s = self._settings.plan_seconds
        async with self._slot(within_s):
            try:
                async with asyncio.timeout(within_s):
                    request = PlanRequest(
                        setup=self._setup, run=run, counts=counts, within_s=within_s
                    )
                    return await self._ask(request)
            except TimeoutError:
                raise HttpError(
                    504,
                    f"the plan was not ready within {within_s:g} s, and was stopped",
                    where="run file",
                    hint="set a `limit`, name fewer models and tasks, look at patterns and "
                    "templates that take long; a large data set is fetched once by "
                    "`llmeval datasets show` where the server runs; "
                    f"{variable_of('plan_seconds')} on the server allows more",
                ) from None

    @contextlib.asynccontextmanager
    async def _slot(self, within_s: float) -> AsyncIterator[None]:
        """Wait for a slot.

        Raises:
            HttpError: too many requests wait, or none was free in time.
        """
        if self._slots.locked() and self._n_waiting >= MAX_WAITING:
            raise self._busy()
        self._n_waiting += 1
        try:
            async with asyncio.timeout(within_s):
                await self._slots.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self._n_waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    def _busy(self) -> HttpError:
        return HttpError(
            503,
            "too many run files are planned at this moment",
            where="run file",
            hint=f"try again in a moment; {variable_of('plans_at_once')} on the server allows more",
            headers={"Retry-After": _RETRY_AFTER_S},
        )

    async def _ask(self, request: PlanRequest) -> PlannedRun:
        """Have a process plan a request; unless it answers, it is killed."""
        process = await self._process()
        try:
            answer = await process.ask(
                encode(request), most_bytes=self._settings.max_plan_bytes + _ROOM_BYTES
            )
            reply = decode(PlanReply, answer)
        except (ChildEndedError, ValueError) as err:
            process.kill()
            await process.wait()
            what = f"the process that planned it ended ({process.exit_text()})"
            _log.error("a plan failed: %s", what)
            raise HttpError(
                500,
                what,
                where="run file",
                hint="a plugin or a data set may have ended it; the server's log may say more",
            ) from err
        self._keep_idle(process)
        if reply.rejection is not None:
            raise self._error(reply.rejection)
        assert reply.planned is not None
        return reply.planned

    async def _process(self) -> ChildProcess:
        """Return an idle process, or start one."""
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
            await process.end()
        try:
            return await ChildProcess.start(_command())
        except OSError as err:
            raise HttpError(
                503,
                f"no process for the plan can be started: {err.strerror or err}",
                where="run file",
                hint="the server's machine may be out of memory or processes; try again later",
                headers={"Retry-After": _RETRY_AFTER_S},
            ) from err

    def _keep_idle(self, process: ChildProcess) -> None:
        self._idle.append(process)
        if self._cleanup is not None:
            self._cleanup.cancel()
        loop = asyncio.get_running_loop()
        self._cleanup = loop.call_later(IDLE_S, lambda: loop.create_task(self._end_idle()))

    async def _end_idle(self) -> None:
        if self._cleanup is not None:
            self._cleanup.cancel()
            self._cleanup = None
        idle, self._idle = self._idle, []
        for process in idle:
            process.kill()
        for process in idle:
            await process.wait()

    def _error(self, rejection: PlanRejection) -> LlmevalError:
        if rejection.kind == "bug":
            _log.error("a plan failed: internal error\n%s", self._redact(rejection.what))
            return HttpError(
                500,
                "something went wrong while the run file was planned",
                where="run file",
                hint="this is a bug in llmeval or in a plugin; the server's log says more",
            )
        error_class = _ERRORS.get(rejection.error_class, LlmevalError)
        return error_class(rejection.what, where=rejection.where, hint=rejection.hint)


def _command() -> ChildCommand:
    """Return the command of a planning process, which finds the same modules as this process."""
    path = [os.path.abspath(folder) for folder in sys.path]
    code = f"import sys; sys.path[:] = {path!r}; from {_MODULE} import main; main()"
    return ChildCommand(
        (sys.executable, "-P", "-c", code), takes_messages=True, output="shown", grace_s=0.0
    )


def _setup(context: ServerContext) -> PlanningSetup:
    secrets = {"token", "jobs_url"}
    settings = context.settings.model_copy(update={"home": context.settings.home.absolute()})
    plugins = [plugin.name for plugin in context.session.host.plugins if plugin.state != "disabled"]
    return PlanningSetup(
        session=context.session_factory,
        plugins=tuple(plugins),
        settings=settings.model_dump(mode="json", exclude=secrets),
    )
