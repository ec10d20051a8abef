"""The child process that compares formulas, with a limit to the time of each."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

_START_S = 120.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the answer is right, and the formula that was found in it (None if none).

    `right` is None if no reference is a formula that could be compared with.
    """

    right: bool | None
    parsed: str | None = None


class MathVerifyProcess:
    """Starts on first use, and again after it was killed; used by one thread at a time.

    Args:
        timeout_s: longest time for one answer, seconds.
    """

    def __init__(self, timeout_s: float = 10.0) -> None:
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[str] | None = None
        self._stop: weakref.finalize[..., MathVerifyProcess] | None = None

    def verify(self, references: Sequence[str], text: str) -> Verdict:
        """Compare an answer with references; wrong if the time is over or the process breaks."""
        verdict, in_time = self._verdict(references, text)
        if verdict is not None:
            return verdict
        if not in_time and self._verdict(references, "")[0] is None:
            return Verdict(right=None)  # the references alone take too long
        return Verdict(right=False)

    def _verdict(self, references: Sequence[str], text: str) -> tuple[Verdict | None, bool]:
        """Ask once; None if there is no reply, and False if that is because the time was over."""
        in_time = True
        for _ in range(2):  # a process that was gone before it was asked gets a second chance
            process = self._process or self._start()
            reply, in_time = self._ask(process, json.dumps([*references, text]), self._timeout_s)
            if reply:
                right, parsed = json.loads(reply)
                return Verdict(right, parsed), True
            self.close()
            if not in_time:
                break
        return None, in_time

    def close(self) -> None:
        """End the process, if there is one."""
        if self._stop is not None:
            self._stop()
        self._process = self._stop = None

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "llmeval_metrics.math_verify_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._process = process
        self._stop = weakref.finalize(self, _end, process)
        self._ask(process, "[]", _START_S)  # loading sympy is not the first answer's time
        return process

    def _ask(self, process: subprocess.Popen[str], line: str, timeout_s: float) -> tuple[str, bool]:
        """Send a line and read one; empty if the process is gone; False if its time was over."""
        assert process.stdin is not None
        assert process.stdout is not None
        over = threading.Event()

        def kill() -> None:
            over.set()
            process.kill()

        timer = threading.Timer(timeout_s, kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return process.stdout.readline(), not over.is_set()
        except BrokenPipeError:
            return "", not over.is_set()
        finally:
            timer.cancel()


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # it held a line that nobody reads now
                pipe.close()
    process.wait()
