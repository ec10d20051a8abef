"""Our end of the line to the keeper of one child process, and what the child says."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, TypedDict

from llmeval_core.support import process_keeper
from llmeval_core.support.child_command import ChildCommand

_MOST_TOLD_BYTES = 4000


class StandardStreams(TypedDict):
    """The arguments of `subprocess.Popen` that both faces use."""

    stdin: int
    stdout: int | None
    stderr: int | IO[bytes] | None
    env: dict[str, str] | None
    cwd: str | None
    pass_fds: Sequence[int]
    start_new_session: bool


class KeeperLine:
    """Starts with the keeper; the child is ended when it is closed.

    Args:
        command: what the keeper runs.

    Raises:
        OSError: the program is not there, or its output cannot be kept.
    """

    def __init__(self, command: ChildCommand) -> None:
        program = command.argv[0]
        search = None if command.environ is None else command.environ.get("PATH", os.defpath)
        if shutil.which(program, path=search) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
        self._command = command
        self._output = _open_output(command)
        self._has_keeper = os.name == "posix"  # elsewhere the child is started as it is
        self._theirs, self._ours = os.pipe() if self._has_keeper else (-1, -1)
        self._last_output = ""

    def argv(self) -> list[str]:
        """Return what is to be started."""
        command = self._command
        if not self._has_keeper:
            return list(command.argv)
        return [
            *(sys.executable, "-I", "-S", process_keeper.__file__, str(os.getpid())),
            *(str(self._theirs), str(self._output.fileno() if self._output else -1)),
            *(str(command.most_output_bytes), f"{command.grace_s:g}"),
            *("0" if command.takes_messages else "1", *command.argv),
        ]

    def streams(self) -> StandardStreams:
        """Return how it is to be started."""
        command = self._command
        is_shown = self._output is None
        asked = command.takes_messages
        quiet = None if is_shown else subprocess.DEVNULL
        kept = [self._output.fileno()] if self._output else []
        return {
            "stdin": subprocess.PIPE if asked else subprocess.DEVNULL,
            "stdout": subprocess.PIPE if asked else quiet,
            "stderr": quiet if self._has_keeper else self._output,
            "env": None if command.environ is None else dict(command.environ),
            "cwd": None if command.folder is None else str(command.folder),
            "pass_fds": [self._theirs, *kept] if self._has_keeper else (),
            "start_new_session": True,
        }

    def started(self) -> None:
        """Let go of what is the keeper's, after it was started."""
        if self._theirs >= 0:
            os.close(self._theirs)
            self._theirs = -1

    def terminate(self) -> bool:
        """Let the keeper terminate the child; False if there is no keeper."""
        return self._say(b"t")

    def kill(self) -> bool:
        """Let the keeper kill the child with all that it started; False if there is no keeper."""
        return self._say(b"k")

    def last_output(self) -> str:
        """Return the end of what the child said, so far or altogether; empty if it is not kept."""
        if self._output is None or self._output.closed:
            return self._last_output
        size = os.fstat(self._output.fileno()).st_size
        n_bytes = min(size, _MOST_TOLD_BYTES)
        return os.pread(self._output.fileno(), n_bytes, size - n_bytes).decode("utf-8", "replace")

    def last_line(self) -> str:
        """Return the last line that has something in it."""
        lines = [line.strip() for line in self.last_output().splitlines()]
        return next((line for line in reversed(lines) if line), "")

    def close(self) -> None:
        """Hang up, whereupon the keeper ends what still runs."""
        self.started()
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1
        if self._output is not None and not self._output.closed:
            self._last_output = self.last_output()
            self._output.close()

    def clean_up(self, keeper: int, code: int) -> None:
        """Kill what a keeper has left behind that was killed itself.

        Args:
            keeper: its id.
            code: how it ended, as `subprocess` says it.
        """
        if self._has_keeper and code == -signal.SIGKILL:
            process_keeper.kill_session(keeper)

    def _say(self, word: bytes) -> bool:
        if self._ours >= 0:
            with contextlib.suppress(BrokenPipeError):  # it is all over
                os.write(self._ours, word)
        return self._has_keeper


def _open_output(command: ChildCommand) -> IO[bytes] | None:
    if command.output == "shown":
        return None
    if command.output == "kept":
        return tempfile.TemporaryFile("a+b", buffering=0)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    return os.fdopen(os.open(command.output, flags, 0o600), "a+b", buffering=0)
