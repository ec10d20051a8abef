"""A child process for an event loop: started, asked, watched, and ended with all it started."""

from __future__ import annotations

import asyncio
from types import TracebackType

from llmeval_core.support.child_command import ChildCommand, ChildEndedError, exit_text
from llmeval_core.support.child_messages import LENGTH_BYTES, framed, length_in
from llmeval_core.support.keeper_line import KeeperLine

MOST_ANSWER_BYTES = 64_000_000
"""The longest answer, unless the caller sets another bound."""


class ChildProcess:
    """A running command; leaving the `async with` block ends it.

        async with await ChildProcess.start(ChildCommand(["sort", "names"])) as child:
            code = await child.wait()

    Attributes:
        pid: of the process that keeps it: a signal that kills this one ends the command too.
    """

    def __init__(self, process: asyncio.subprocess.Process, line: KeeperLine) -> None:
        self._process = process
        self._line = line
        self.pid = process.pid

    @classmethod
    async def start(cls, command: ChildCommand) -> ChildProcess:
        """Start a command.

        Raises:
            OSError: it cannot be started, or what it says cannot be kept.
        """
        line = KeeperLine(command)
        try:
            process = await asyncio.create_subprocess_exec(*line.argv(), **line.streams())
        except BaseException:
            line.close()
            raise
        line.started()
        return cls(process, line)

    @property
    def returncode(self) -> int | None:
        """How it ended, as `subprocess` says it; None while it runs."""
        return self._process.returncode

    def exit_text(self) -> str | None:
        """Say how it ended, in words; None while it runs."""
        code = self._process.returncode
        return None if code is None else exit_text(code)

    def last_output(self) -> str:
        """Return the end of what it said, if that is kept, also after it has ended."""
        return self._line.last_output()

    async def ask(
        self,
        message: bytes,
        *,
        within_s: float | None = None,
        most_bytes: int = MOST_ANSWER_BYTES,
    ) -> bytes:
        """Send a message and return the answer; one at a time.

        Whatever goes wrong, a cancellation too, the process is killed: nobody could tell any more
        which message the next answer belongs to.

        Args:
            message: of any content.
            within_s: how long the answer may take, seconds; None for no bound.
            most_bytes: the longest answer.

        Raises:
            ChildEndedError: it ended instead, or the answer is too long.
            TimeoutError: there was no answer in time.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._exchange(message, most_bytes)
        except (ConnectionError, asyncio.IncompleteReadError) as err:
            await self._end_now()
            raise ChildEndedError(self._process.returncode or 0, self._line.last_line()) from err
        except BaseException:
            await self._end_now()
            raise

    def close_input(self) -> None:
        """Let its standard input end, by which one that takes messages is told to end."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def terminate(self) -> None:
        """Send it SIGTERM; returns at once."""
        if not self._line.terminate() and self._process.returncode is None:
            self._process.terminate()

    def kill(self) -> None:
        """Kill it with all that it started; returns at once."""
        self.close_input()
        if not self._line.kill() and self._process.returncode is None:
            self._process.kill()

    async def wait(self) -> int:
        """Wait until it has ended, and what it started too, and return how; see `returncode`."""
        code = await self._process.wait()
        self._line.close()
        return code

    async def end(self, *, within_s: float = 5.0) -> int:
        """Tell it to end, kill it if it takes longer than that, and return how it ended."""
        self.close_input()
        if self._process.stdin is None:
            self.terminate()
        try:
            async with asyncio.timeout(within_s):
                return await self.wait()
        except TimeoutError:
            return await self._end_now()
        except asyncio.CancelledError:
            await self._end_now()
            raise

    async def __aenter__(self) -> ChildProcess:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.end()

    async def _exchange(self, message: bytes, most_bytes: int) -> bytes:
        assert self._process.stdin is not None, "the command takes no messages"
        assert self._process.stdout is not None
        self._process.stdin.write(framed(message))
        await self._process.stdin.drain()
        length = length_in(await self._process.stdout.readexactly(LENGTH_BYTES))
        if length > most_bytes:
            raise ConnectionAbortedError(f"an answer of {length} bytes")
        return await self._process.stdout.readexactly(length)

    async def _end_now(self) -> int:
        self.kill()
        return await self.wait()
