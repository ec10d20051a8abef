"""The child process that compares formulas, with a limit to the time of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from llmeval_core.support import (
    BlockingChildProcess,
    ChildCommand,
    ChildEndedError,
    python_command,
)

_COMMAND = ChildCommand(python_command("llmeval_metrics.math_verify_worker"), takes_messages=True)
_START_S = 120.0


@dataclass(frozen=True, slots=True)
class FormulaVerdict:
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
        self._process: BlockingChildProcess | None = None

    def verify(self, references: Sequence[str], text: str) -> FormulaVerdict:
        """Compare an answer with references; wrong if the time is over or the process breaks."""
        try:
            verdict = self._verdict(references, text)
            return verdict or FormulaVerdict(right=False)
        except TimeoutError:
            pass
        try:
            known = self._verdict(references, "")
        except TimeoutError:
            known = None
        # The references alone take too long: nothing can be said of the answer.
        return FormulaVerdict(right=None) if known is None else FormulaVerdict(right=False)

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _verdict(self, references: Sequence[str], text: str) -> FormulaVerdict | None:
        """Ask for a verdict; None if the process breaks.

        Raises:
            TimeoutError: the time is over.
        """
        message = json.dumps([*references, text]).encode()
        for _ in range(2):  # a process that was gone before it was asked gets a second chance
            try:
                process = self._process or self._start()
                right, parsed = json.loads(process.ask(message, within_s=self._timeout_s))
            except ChildEndedError:
                self._process = None
            except TimeoutError:
                self._process = None
                raise
            else:
                return FormulaVerdict(right, parsed)
        return None

    def _start(self) -> BlockingChildProcess:
        process = self._process = BlockingChildProcess(_COMMAND)
        process.ask(b"[]", within_s=_START_S)  # loading sympy is not the first answer's time
        return process
