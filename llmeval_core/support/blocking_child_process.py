"""A child process for code that blocks: started, asked, watched, and ended with all it started."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
import weakref
from types import TracebackType

from llmeval_core.support.child_command import ChildCommand, ChildEndedError, exit_text
from llmeval_core.support.child_messages import LENGTH_BYTES, framed, length_in
from llmeval_core.support.child_process import DYING_S, MOST_ANSWER_BYTES
from llmeval_core.support.keeper_line import KeeperLine

_READ_BYTES = 65536


class BlockingChildProcess:
    """A running command; the same as `ChildProcess`, for threads.

    It is ended when the `with` block is left, and also when nobody has it any more. `terminate` and
    `kill` may be called from any thread, all else from one at a time.

    Args:
        command: what to run.

    Raises:
        OSError: it cannot be started, or what it says cannot be kept.
    """

    def __init__(self, command: ChildCommand) -> None:
        self._line = KeeperLine(command)
        try:
            self._process = subprocess.Popen(  # noqa: S603  the caller's own command
                self._line.argv(), bufsize=0, **self._line.streams()
            )
        except BaseException:
            self._line.close()
            raise
        self._line.started()
        self.pid = self._process.pid
        self._let_go = weakref.finalize(self, _end_now, self._process, self._line)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and os.name == "posix":
                os.set_blocking(pipe.fileno(), False)

    @property
    def returncode(self) -> int | None:
        """How it ended, as `subprocess` says it; None while it runs."""
        return self._process.poll()

    def exit_text(self) -> str | None:
        """Say how it ended, in words; None while it runs."""
        code = self._process.poll()
        return None if code is None else exit_text(code)

    def last_output(self) -> str:
        """Return the end of what it said, if that is kept, also after it has ended."""
        return self._line.last_output()

    def ask(
        self,
        message: bytes,
        *,
        within_s: float | None = None,
        most_bytes: int = MOST_ANSWER_BYTES,
    ) -> bytes:
        """Send a message and return the answer; see `ChildProcess.ask`.

        Raises:
            ChildEndedError: it ended instead, or the answer is too long.
            TimeoutError: there was no answer in time.
        """
        give_up_at = None if within_s is None else time.monotonic() + within_s
        try:
            self._send(framed(message), give_up_at)
            length = length_in(self._receive(LENGTH_BYTES, give_up_at))
            if length > most_bytes:
                raise ConnectionAbortedError(f"an answer of {length} bytes")
            return self._receive(length, give_up_at)
        except ConnectionAbortedError as err:
            raise ChildEndedError(self._end_now(), self._line.last_line()) from err
        except ConnectionError as err:
            code = self.end(within_s=DYING_S)
            raise ChildEndedError(code, self._line.last_line()) from err
        except BaseException:
            self._end_now()
            raise

    def close_input(self) -> None:
        """Let its standard input end, by which one that takes messages is told to end."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def terminate(self) -> None:
        """Send it SIGTERM; returns at once."""
        if not self._line.terminate():
            self._process.terminate()

    def kill(self) -> None:
        """Kill it with all that it started; returns at once."""
        if not self._line.kill():
            self._process.kill()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait until it has ended, and what it started too, and return how; None if it runs on."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._let_go()
        return code

    def end(self, *, within_s: float = 5.0) -> int:
        """Tell it to end, kill it if it takes longer than that, and return how it ended."""
        self.close_input()
        if self._process.stdin is None:
            self.terminate()
        code = self.wait(within_s)
        return self._end_now() if code is None else code

    def __enter__(self) -> BlockingChildProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def _send(self, data: bytes, give_up_at: float | None) -> None:
        """Write all, though the child may be too busy to read."""
        pipe = self._process.stdin
        assert pipe is not None, "the command takes no messages"
        if pipe.closed:
            raise ConnectionResetError
        left = memoryview(data)
        while left:
            _wait_for(pipe.fileno(), select.POLLOUT, give_up_at)
            left = left[pipe.write(left) or 0 :]

    def _receive(self, n_bytes: int, give_up_at: float | None) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None
        data = bytearray()
        while len(data) < n_bytes:
            _wait_for(pipe.fileno(), select.POLLIN, give_up_at)
            part = pipe.read(min(_READ_BYTES, n_bytes - len(data)))
            if not part:
                raise ConnectionResetError
            data += part
        return bytes(data)

    def _end_now(self) -> int:
        self._let_go()
        return self._process.returncode


def _wait_for(descriptor: int, event: int, give_up_at: float | None) -> None:
    """Wait until a pipe takes or has something."""
    poller = select.poll()
    poller.register(descriptor, event)
    left_ms = None if give_up_at is None else max(0.0, give_up_at - time.monotonic()) * 1000
    if not poller.poll(left_ms):
        raise TimeoutError("no answer in time")


def _end_now(process: subprocess.Popen[bytes], line: KeeperLine) -> None:
    """Kill what still runs, and let go of all that is ours."""
    if process.poll() is None and not line.kill():
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    line.close()
    line.clean_up(process.pid, process.returncode)
