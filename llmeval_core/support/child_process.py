"""A child process for an event loop: started, asked, watched, and ended with all it started."""

from __future__ import annotations

import asyncio
from types import TracebackType

from llmeval_core.support.child_command import ChildCommand, ChildEndedError, exit_text
from llmeval_core.support.child_messages import LENGTH_BYTES, framed, length_in
from llmeval_core.support.keeper_line import KeeperLine

MOST_ANSWER_BYTES = 64_000_000
"""The longest answer, unless the caller sets another bound."""
DYING_S = 1.0
"""How long a child that has closed its end may take to end by itself, seconds."""


class ChildProcess:
    """A running command; leaving the `async with` block ends it.

        async with await ChildProcess.start(ChildCommand(["sort", "names"])) as child:
            code = await child.wait()

    Attributes:
        pid: of the process that keeps it: a signal that kills this one ends the command too.
    """

    def __init__(
        self, transport: asyncio.SubprocessTransport, exchange: _Exchange, line: KeeperLine
    ) -> None:
        self._transport = transport
        self._exchange = exchange
        self._line = line
        self.pid: int = transport.get_pid()

    @classmethod
    async def start(cls, command: ChildCommand) -> ChildProcess:
        """Start a command.

        Raises:
            OSError: it cannot be started, or what it says cannot be kept.
        """
        line = KeeperLine(command)
        try:
            transport, exchange = await asyncio.get_running_loop().subprocess_exec(
                _Exchange, *line.argv(), **line.streams()
            )
        except BaseException:
            line.close()
            raise
        line.started()
        return cls(transport, exchange, line)

    @property
    def returncode(self) -> int | None:
        """How it ended, as `subprocess` says it; None while it runs."""
        return self._transport.get_returncode()

    def exit_text(self) -> str | None:
        """Say how it ended, in words; None while it runs."""
        code = self.returncode
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
        pipe = self._transport.get_pipe_transport(0)
        assert isinstance(pipe, asyncio.WriteTransport), "the command takes no messages"
        try:
            async with asyncio.timeout(within_s):
                answer = self._exchange.expect(most_bytes)
                pipe.write(framed(message))
                return await answer
        except ConnectionAbortedError as err:
            raise ChildEndedError(await self._end_now(), self._line.last_line()) from err
        except ConnectionError as err:
            code = await self.end(within_s=DYING_S)
            raise ChildEndedError(code, self._line.last_line()) from err
        except BaseException:
            await self._end_now()
            raise

    def close_input(self) -> None:
        """Let its standard input end, by which one that takes messages is told to end."""
        pipe = self._transport.get_pipe_transport(0)
        if pipe is not None:
            pipe.close()

    def terminate(self) -> None:
        """Send it SIGTERM; returns at once."""
        if not self._line.terminate() and self.returncode is None:
            self._transport.terminate()

    def kill(self) -> None:
        """Kill it with all that it started; returns at once."""
        if not self._line.kill() and self.returncode is None:
            self._transport.kill()

    async def wait(self) -> int:
        """Wait until it has ended, and what it started too, and return how; see `returncode`."""
        await self._exchange.exited.wait()
        self._line.close()
        code = self.returncode
        assert code is not None
        self._line.clean_up(self.pid, code)
        return code

    async def end(self, *, within_s: float = 5.0) -> int:
        """Tell it to end, kill it if it takes longer than that, and return how it ended."""
        self.close_input()
        if self._transport.get_pipe_transport(0) is None:
            self.terminate()
        try:
            async with asyncio.timeout(within_s):
                await self.wait()
        except TimeoutError:
            pass
        finally:
            code = await self._end_now()
        return code

    async def __aenter__(self) -> ChildProcess:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.end()

    async def _end_now(self) -> int:
        self.kill()
        return await self.wait()


class _Exchange(asyncio.SubprocessProtocol):
    """What the event loop tells of one child: the bytes of its answers, and its ends.

    Not asyncio's streams: there, a child cannot be waited for while some of its output is unread.

    Attributes:
        exited: is set when the child has ended.
    """

    def __init__(self) -> None:
        self.exited = asyncio.Event()
        self._answer: asyncio.Future[bytes] | None = None
        self._received = bytearray()
        self._most_bytes = 0
        self._is_broken = False
        self._transport: asyncio.BaseTransport | None = None

    def expect(self, most_bytes: int) -> asyncio.Future[bytes]:
        """Return what will be the next answer.

        Raises:
            ConnectionError: there will be none: the child is gone, or spoke without being asked.
        """
        assert self._answer is None or self._answer.done(), "one question at a time"
        if self._is_broken:
            raise ConnectionResetError
        self._most_bytes = most_bytes
        self._answer = asyncio.get_running_loop().create_future()
        return self._answer

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Put the next answer together."""
        if self._answer is None or self._answer.done():
            self._is_broken = True
            return
        self._received += data
        if len(self._received) < LENGTH_BYTES:
            return
        end = LENGTH_BYTES + length_in(self._received[:LENGTH_BYTES])
        if end > LENGTH_BYTES + self._most_bytes or len(self._received) > end:
            self._break(ConnectionAbortedError())
        elif len(self._received) == end:
            self._answer.set_result(bytes(self._received[LENGTH_BYTES:]))
            self._received.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take what is to be closed at the end."""
        self._transport = transport

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note that no more answers come."""
        if fd == 1:
            self._break(ConnectionResetError())
            if self.exited.is_set():
                self._close()

    def process_exited(self) -> None:
        """Tell those who wait; an answer may still be on its way."""
        self.exited.set()
        if self._answer is None or self._answer.done():
            self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _break(self, why: ConnectionError) -> None:
        self._is_broken = True
        self._received.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(why)
