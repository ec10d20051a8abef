"""A model for workers that records what it does in a folder: workers are other processes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from llmeval_core.hooks import (
    FailureKind,
    Generation,
    Mode,
    ModelError,
    ModelInfo,
    Request,
)


@dataclass(frozen=True)
class RecordingProvider:
    """A provider whose models repeat the question.

    Args:
        folder: where each process keeps a file of what it was asked.
        latency_s: how long an answer takes, seconds.
        refuse: the kind of error that some questions get.
        refuse_opening: the kind of error that opening gets.
        refused: questions that contain this are refused; none if None.
        deadly: questions that contain this kill the worker; none if None.
        n_refusals: how often a process refuses; None for always.
        stuck: questions that contain this are never answered; none if None.
        max_concurrency: what `describe` says of it.
        endpoint: what `describe` says of it.
        n_bad_copies: so many of the copies refuse everything at once.
        n_together: nothing is answered before so many processes have opened it.
    """

    folder: Path
    latency_s: float = 0.0
    refuse: FailureKind = "bad_request"
    refuse_opening: FailureKind | None = None
    refused: str | None = None
    deadly: str | None = None
    n_refusals: int | None = None
    stuck: str | None = None
    max_concurrency: int | None = None
    endpoint: str | None = None
    n_bad_copies: int = 0
    n_together: int = 0

    def describe(self, model: str) -> ModelInfo:
        """Tell how it can be asked."""
        return ModelInfo(
            "recording", frozenset[Mode]({"chat"}), self.max_concurrency, self.endpoint
        )

    async def open(self, model: str) -> RecordingModel:
        """Write that it was opened."""
        if self.refuse_opening is not None:
            raise ModelError(self.refuse_opening, "the weights are locked", hint="ask for the key")
        self.write("opened", model)
        return RecordingModel(self, is_bad=any(map(self._take_bad_place, range(self.n_bad_copies))))

    def _take_bad_place(self, number: int) -> bool:
        try:
            (self.folder / f"bad-{number}").mkdir()
        except FileExistsError:
            return False  # another copy has it
        return True

    def write(self, kind: str, text: str) -> None:
        """Add a line to this process's file."""
        with (self.folder / f"{os.getpid()}.{kind}").open("a") as file:
            file.write(text + "\n")

    def lines(self, kind: str) -> Counter[str]:
        """Count the lines of all processes."""
        return Counter(
            line
            for path in self.folder.glob(f"*.{kind}")
            for line in path.read_text().split("\n")[:-1]
        )

    def spans(self) -> list[tuple[float, float]]:
        """Tell when each answer was begun and given, on the clock of the machine, seconds."""
        pairs = (line.split() for line in self.lines("span").elements())
        return sorted((float(began), float(ended)) for began, ended in pairs)

    def processes(self, kind: str = "opened") -> list[int]:
        """Name the processes that wrote something."""
        return sorted(int(path.stem) for path in self.folder.glob(f"*.{kind}"))


class RecordingModel:
    """One copy."""

    def __init__(self, provider: RecordingProvider, *, is_bad: bool) -> None:
        self._is_bad = is_bad
        self._provider = provider
        self._n_refusals = 0

    async def generate(self, request: Request) -> Generation:
        """Repeat the question."""
        does, question = self._provider, request.messages[-1].text
        began = time.monotonic()
        does.write("asked", question)
        if self._is_bad:
            raise ModelError("overloaded", "out of memory")
        if does.deadly is not None and does.deadly in question:
            os.kill(os.getpid(), signal.SIGKILL)
        while len(does.processes()) < does.n_together:  # noqa: ASYNC110  other processes write them
            await asyncio.sleep(0.01)
        is_stuck = does.stuck is not None and does.stuck in question
        await asyncio.sleep(3600 if is_stuck else does.latency_s)
        does.write("span", f"{began} {time.monotonic()}")
        if does.refused is not None and does.refused in question:
            self._n_refusals += 1
            if does.n_refusals is None or self._n_refusals <= does.n_refusals:
                raise ModelError(does.refuse, f"not '{question}'", hint="ask something else")
        return Generation((question,), n_prompt_tokens=2, n_completion_tokens=2)

    async def aclose(self) -> None:
        """Write that it was closed."""
        self._provider.write("closed", "")
