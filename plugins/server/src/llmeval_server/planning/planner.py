"""Plans run files in a few processes of their own, in bounded time, ended with the client.

A request waits for one of `plans_at_once` places, is planned in a process that may be left from an
earlier plan, and gives the place back. A process that takes too long, or whose client leaves, is
killed; the next request starts another. One that was not needed for a while ends.
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
from llmeval_server.context import ServerContext
from llmeval_server.errors import ForbiddenError
from llmeval_server.planning.messages import Planned, PlanRequest, Refused, Start
from llmeval_server.planning.process import PlanProcess, ProcessEndedError
from llmeval_server.security.refusing import RefusedError
from llmeval_server.settings import ServerSettings, variable_of

MOST_WAITING = 64
"""How many requests may wait for a place; a further one is refused."""
IDLE_S = 60.0
"""How long a process that is not needed is kept, seconds."""
_ASK_AGAIN_S = "5"
_CLIENT_LEFT = 499  # no standard status: nobody reads it; nginx logs the same
_ERRORS: dict[str, type[LlmevalError]] = {
    kind.__name__: kind
    for kind in (ConfigError, PluginError, UnknownNameError, JournalError, ForbiddenError)
}

_log = logging.getLogger("llmeval")

Leaving = Callable[[], Awaitable[None]]
"""Returns when the client has left."""


class Planner:
    """Checks and plans run files.

    Args:
        context: the server.
    """

    def __init__(self, context: ServerContext) -> None:
        self._settings = context.settings
        self._redact = context.session.catalog.redactor
        self._start = _start_message(context)
        self._places = asyncio.Semaphore(context.settings.plans_at_once)
        self._n_waiting = 0
        self._idle: list[PlanProcess] = []
        self._tidying: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """End all processes at the end."""
        try:
            yield
        finally:
            await self._end_idle()

    async def plan(
        self, run: dict[str, Any] | str, *, counts: bool, client_leaves: Leaving
    ) -> Planned:
        """Check a run file, confine it, plan it, and count its requests if that is wanted.

        Args:
            run: YAML text, or JSON (Any).
            counts: whether requests are counted, for which all samples are read.
            client_leaves: returns when nobody waits for the answer any more.

        Raises:
            LlmevalError: the run file is wrong, too large, or asks for what it may not have.
            RefusedError: too many are planned now, it took too long, or the client left.
        """
        planning = asyncio.create_task(self._in_time(run, counts=counts))
        leaving = asyncio.ensure_future(client_leaves())
        try:
            await asyncio.wait((planning, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not planning.done():
                raise RefusedError(_CLIENT_LEFT, "the client left before its plan was made")
            return planning.result()
        finally:
            for task in (planning, leaving):
                task.cancel()
            await asyncio.wait((planning, leaving))

    async def _in_time(self, run: dict[str, Any] | str, *, counts: bool) -> Planned:
        within_s = self._settings.plan_seconds
        async with self._place(within_s):
            try:
                async with asyncio.timeout(within_s):
                    request = PlanRequest(run=run, counts=counts, within_s=within_s)
                    return await self._ask(request)
            except TimeoutError:
                raise RefusedError(
                    504,
                    f"the plan was not ready within {within_s:g} s, and was stopped",
                    where="run file",
                    hint="set a `limit`, name fewer models and tasks, look at patterns and "
                    "templates that take long; a large data set is fetched once by "
                    "`llmeval datasets show` where the server runs; "
                    f"{variable_of('plan_seconds')} on the server allows more",
                ) from None

    @contextlib.asynccontextmanager
    async def _place(self, within_s: float) -> AsyncIterator[None]:
        """Wait for a place.

        Raises:
            RefusedError: too many wait, or there was none in time.
        """
        if self._places.locked() and self._n_waiting >= MOST_WAITING:
            raise self._busy()
        self._n_waiting += 1
        try:
            async with asyncio.timeout(within_s):
                await self._places.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self._n_waiting -= 1
        try:
            yield
        finally:
            self._places.release()

    def _busy(self) -> RefusedError:
        return RefusedError(
            503,
            "too many run files are planned at this moment",
            where="run file",
            hint=f"try again in a moment; {variable_of('plans_at_once')} on the server allows more",
            headers={"Retry-After": _ASK_AGAIN_S},
        )

    async def _ask(self, request: PlanRequest) -> Planned:
        """Ask a process; one that was not asked to its end is killed."""
        process = await self._process()
        is_of_use = False
        try:
            reply = await process.ask(request)
            is_of_use = True
        except ProcessEndedError as err:
            _log.error("a plan failed: %s", err)
            raise RefusedError(
                500,
                str(err),
                where="run file",
                hint="a plugin or a data set may have ended it; the server's log may say more",
            ) from err
        finally:
            if is_of_use:
                self._keep(process)
            else:
                await asyncio.shield(process.kill())
        if reply.refused is not None:
            raise self._error(reply.refused)
        assert reply.planned is not None
        return reply.planned

    async def _process(self) -> PlanProcess:
        while self._idle:
            process = self._idle.pop()
            if process.is_alive:
                return process
            await process.kill()
        try:
            return await PlanProcess.begin(
                self._start, most_bytes=self._settings.max_plan_bytes + 10_000
            )
        except OSError as err:
            raise RefusedError(
                503,
                f"no process for the plan can be started: {err.strerror or err}",
                where="run file",
                hint="the server's machine may be out of memory or processes; try again later",
                headers={"Retry-After": _ASK_AGAIN_S},
            ) from err

    def _keep(self, process: PlanProcess) -> None:
        self._idle.append(process)
        if self._tidying is not None:
            self._tidying.cancel()
        loop = asyncio.get_running_loop()
        self._tidying = loop.call_later(IDLE_S, lambda: loop.create_task(self._end_idle()))

    async def _end_idle(self) -> None:
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        idle, self._idle = self._idle, []
        for process in idle:
            await process.kill()

    def _error(self, refused: Refused) -> LlmevalError:
        if refused.kind == "bug":
            _log.error("a plan failed: internal error\n%s", self._redact(refused.what))
            return RefusedError(
                500,
                "something went wrong while the run file was planned",
                where="run file",
                hint="this is a bug in llmeval or in a plugin; the server's log says more",
            )
        kind = _ERRORS.get(refused.error_class, LlmevalError)
        return kind(refused.what, where=refused.where, hint=refused.hint)


def _start_message(context: ServerContext) -> Start:
    secrets = {name for name in ServerSettings.model_fields if name in ("token", "jobs_url")}
    settings = context.settings.model_copy(update={"home": context.settings.home.absolute()})
    plugins = [plugin.name for plugin in context.session.host.plugins if plugin.state != "disabled"]
    path = [os.path.abspath(folder) for folder in sys.path]
    return Start(
        path=tuple(path),
        session=context.session_factory,
        plugins=tuple(plugins),
        settings=settings.model_dump(mode="json", exclude=secrets),
    )
