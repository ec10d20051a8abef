"""One planning process, as the server sees it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping

from llmeval_server.planning.plan_messages import (
    LENGTH_BYTES,
    PlanChildSetup,
    PlanReply,
    PlanRequest,
    packed,
    unpacked,
)
from llmeval_server.processes.watchdog import kill_with_descendants

_MODULE = "llmeval_server.planning.plan_child"


class ProcessEndedError(Exception):
    """A planning process ended instead of answering; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        how = f"it was killed by signal {-code}" if code < 0 else f"exit code {code}"
        super().__init__(f"the process that planned it ended ({how})")
        self.code = code


class PlanProcess:
    """A process that answers one request at a time.

    Args:
        process: the child.
        most_bytes: the largest answer.
    """

    def __init__(self, process: asyncio.subprocess.Process, *, most_bytes: int) -> None:
        self._process = process
        self._most_bytes = most_bytes

    @classmethod
    async def begin(
        cls, start: PlanChildSetup, *, most_bytes: int, environ: Mapping[str, str] | None = None
    ) -> PlanProcess:
        """Start a process; it is ready when it answers.

        Raises:
            OSError: it cannot be started.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-c",
            f"import sys; sys.path[:] = {list(start.path)!r}; from {_MODULE} import main; main()",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environ,
            start_new_session=True,
        )
        begun = cls(process, most_bytes=most_bytes)
        begun._write(packed(start))
        return begun

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.returncode is None

    async def ask(self, request: PlanRequest) -> PlanReply:
        """Ask, and wait for the answer; the process is of no use if this is cancelled.

        Raises:
            ProcessEndedError: it ended instead, or said what it should not.
        """
        assert self._process.stdout is not None
        try:
            self._write(packed(request))
            length = await self._process.stdout.readexactly(LENGTH_BYTES)
            n_bytes = int.from_bytes(length, "big")
            if n_bytes > self._most_bytes:
                await self.kill()
                raise ProcessEndedError(-signal.SIGKILL)
            told = await self._process.stdout.readexactly(n_bytes)
            return unpacked(PlanReply, told)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as err:
            await self.kill()
            raise ProcessEndedError(self._process.returncode or 0) from err

    async def kill(self) -> None:
        """Kill it with all that it started, and wait until it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                kill_with_descendants(self._process.pid, spare=os.getpid())
        await self._process.wait()

    def _write(self, message: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(message)
