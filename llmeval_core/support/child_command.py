"""What to run as a child process, and how it ended: shared by both faces of child processes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ChildCommand:
    """A command and the terms on which it runs.

    It gets a session of its own, so that Ctrl-C in a terminal reaches only us. It ends with us,
    however we end, and nothing that it started is left behind; see `process_keeper`.

    Args:
        argv: the program and its arguments; see `python_command`.
        environ: all its variables; None for ours.
        folder: where it runs; None for our current folder.
        takes_messages: whether it is asked over its standard input and output, see
            `ParentChannel`. Such a command is told to end by the end of its input, any other by
            SIGTERM.
        output: what becomes of what it says on standard error, and unless it takes messages on
            standard output. `kept`: `last_output` has its end. A path: the same, and it stays in
            this file, which only its owner can read. `shown`: it goes where ours goes.
        most_output_bytes: how much is kept; if it is more, the older half goes.
        grace_s: how long it may take to end when we are gone, and what it leaves behind when it
            has ended itself, seconds.
    """

    argv: Sequence[str]
    environ: Mapping[str, str] | None = None
    folder: Path | None = None
    takes_messages: bool = False
    output: Path | Literal["kept", "shown"] = "kept"
    most_output_bytes: int = 1_000_000
    grace_s: float = 3.0


def python_command(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module with our interpreter.

    What lies in the current folder is not imported by it.
    """
    return (sys.executable, "-P", "-m", module, *arguments)


class ChildEndedError(Exception):
    """A child process ended instead of answering.

    Attributes:
        code: its exit code; the negative number of the signal that ended it.
        last_line: what it said last on standard error; empty if that is nothing, or not kept.
    """

    def __init__(self, code: int, last_line: str) -> None:
        said = f": {last_line}" if last_line else ""
        super().__init__(f"the process ended ({exit_text(code)}){said}")
        self.code = code
        self.last_line = last_line


def exit_text(code: int) -> str:
    """Say how a process ended: `exit code 3`, `signal SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
