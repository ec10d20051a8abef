"""A plugin for tests: sums as a data set, and a slow model that writes down what it is asked."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import Field

from llmeval_core.hooks import (
    Aggregate,
    Component,
    ComponentConfig,
    Dataset,
    Generation,
    Metric,
    ModelError,
    ModelInfo,
    ModelProvider,
    Receipt,
    Request,
    RunInfo,
    Sample,
    Score,
    Settings,
    TaskDefaults,
    TaskResult,
    Tracker,
    hookimpl,
    mean_aggregate,
)


class SumsSettings(Settings):
    """How many there are, a word in each question, and how many letters before it."""

    n: int = Field(default=10, ge=1)
    word: str = "sums"
    padding: int = 0


class Sums:
    """`sums 0+1=`, `sums 1+1=`, ..."""

    name = "sums"
    defaults = TaskDefaults(metrics=(ComponentConfig(use="right"),))

    def __init__(self, settings: SumsSettings) -> None:
        self._word = settings.word
        self._n = settings.n
        self._padding = "_" * settings.padding

    def samples(self) -> Iterator[Sample]:
        for i in range(self._n):
            yield Sample(f"s{i}", f"{self._padding}{self._word} {i}+1=", (str(i + 1),))

    def few_shot_pool(self) -> Iterator[Sample]:
        return self.samples()

    def size(self) -> int | None:
        return self._n

    def fingerprint(self) -> str:
        return f"{self._word}-{self._n}-{len(self._padding)}"


class AbacusSettings(Settings):
    """How slow it is, and where it writes."""

    asked: Path
    key: str = ""
    latency_s: float = 0.0
    breaks: str = ""


class Abacus:
    """Adds one, but is off by one for every seventh number."""

    def __init__(self, settings: AbacusSettings) -> None:
        self._settings = settings

    def describe(self, model: str) -> ModelInfo:
        return ModelInfo(f"abacus {self._settings.breaks}", frozenset({"chat"}))

    async def open(self, model: str) -> Abacus:
        if self._settings.breaks == "refuse":
            raise ModelError("auth", f"the key {self._settings.key} is wrong")
        if self._settings.breaks == "bug":
            raise ZeroDivisionError("in the abacus")
        return self

    async def generate(self, request: Request) -> Generation:
        question = request.messages[-1].text
        with self._settings.asked.open("a") as file:
            file.write(question.lstrip("_") + "\n")
        await asyncio.sleep(self._settings.latency_s)
        self._hang()
        if self._settings.breaks == "die":
            os.abort()
        number = int(question.split()[-1].partition("+")[0])
        if self._settings.breaks == "fail" and number % 5 == 0:
            raise ModelError("bad_request", "no fives please")
        text = str(number + (1 if number % 7 else 2))
        return Generation((text,), n_prompt_tokens=4, n_completion_tokens=1, latency_s=0.001)

    def _hang(self) -> None:
        """Hang if the file beside the questions says how, with a process that stays behind."""
        file = self._settings.asked.with_suffix(".hang")
        if not file.exists():
            return
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        child = subprocess.Popen(command, start_new_session=True)
        self._settings.asked.with_suffix(".child").write_text(str(child.pid))
        if file.read_text() == "search":  # no other line of Python runs any more
            re.fullmatch(r"(a|aa)+$", "a" * 200 + "b")
        time.sleep(600)

    async def aclose(self) -> None:
        """Keep nothing."""


class RightSum:
    """Whether the answer is the reference."""

    definition = "right@1"
    higher_is_better = True

    def score(self, sample: Sample, generation: Generation) -> Score:
        return Score(float(generation.text in sample.references), parsed=generation.text)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


class Stuck:
    """A tracker that never comes back, and lets nobody else run meanwhile."""

    async def open(self, run: RunInfo) -> None:
        (run.home / "stuck.txt").touch()

    async def deliver(self, result: TaskResult) -> Receipt:
        time.sleep(600)  # noqa: ASYNC251  this is what is wrong with it
        raise AssertionError

    async def close(self) -> None:
        """Keep nothing."""


@hookimpl
def llmeval_register_datasets() -> Iterable[Component[SumsSettings, Dataset]]:
    """Offer the data set."""
    yield Component("sums", SumsSettings, Sums, "sums of two numbers", argument="n")


@hookimpl
def llmeval_register_models() -> Iterable[Component[AbacusSettings, ModelProvider]]:
    """Offer the model."""
    yield Component("abacus", AbacusSettings, Abacus, "adds one")


@hookimpl
def llmeval_register_metrics() -> Iterable[Component[Settings, Metric]]:
    """Offer the metric."""
    yield Component("right", Settings, lambda settings: RightSum(), "the answer is the reference")


@hookimpl
def llmeval_register_trackers() -> Iterable[Component[Settings, Tracker]]:
    """Offer the tracker."""
    yield Component("stuck", Settings, lambda settings: Stuck(), "never comes back")
