"""A whole fake plugin: capitals of the world, a model that knows some, a metric, a tracker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import Field

from llmeval_core.hooks import (
    Aggregate,
    Check,
    CheckOutcome,
    Component,
    ComponentConfig,
    ConfigError,
    Dataset,
    Generation,
    GenerationConfig,
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
    TrackerError,
    hookimpl,
    mean_aggregate,
)

CAPITALS = (
    ("France", "Paris", "Europe"),
    ("Japan", "Tokyo", "Asia"),
    ("Peru", "Lima", "America"),
    ("Atlantis", "Poseidonia", "Europe"),
)


class CapitalsSettings(Settings):
    """How many capitals are asked for."""

    n: int = Field(default=4, ge=1, le=4, description="First n countries only.")


class Capitals:
    """Four questions; the last one makes `atlas` fail."""

    name = "capitals"
    defaults = TaskDefaults(
        metrics=(ComponentConfig(use="exact"),), generation=GenerationConfig(max_tokens=8)
    )

    def __init__(self, settings: CapitalsSettings) -> None:
        self._n = settings.n

    def samples(self) -> Iterator[Sample]:
        for index, (country, capital, continent) in enumerate(CAPITALS[: self._n]):
            yield Sample(f"c{index}", f"Capital of {country}?", (capital,), category=continent)

    def few_shot_pool(self) -> Iterator[Sample]:
        return self.samples()

    def size(self) -> int | None:
        return self._n

    def fingerprint(self) -> str:
        return f"capitals-{self._n}"


class Atlas:
    """Knows Paris and Tokyo, takes Lima for Quito, and refuses to speak of Atlantis."""

    def describe(self, model: str) -> ModelInfo:
        if model == "lost":
            raise ConfigError("there is no atlas 'lost'", hint="take atlas/any")
        return ModelInfo("atlas", frozenset({"chat", "completion"}))

    async def open(self, model: str) -> Atlas:
        return self

    async def generate(self, request: Request) -> Generation:
        await asyncio.sleep(0)
        question = request.messages[-1].text if request.messages else request.prompt
        if "Atlantis?" in question:
            raise ModelError("bad_request", "Atlantis is on no map")
        answers = {"France?": "Paris", "Japan?": "Tokyo"}
        found = [answer for country, answer in answers.items() if question.endswith(country)]
        text = found[0] if found else "Quito"
        return Generation((text,), n_prompt_tokens=4, n_completion_tokens=1, latency_s=0.01)

    async def aclose(self) -> None:
        """Keep nothing."""


class Parrot(Atlas):
    """Repeats the question."""

    async def generate(self, request: Request) -> Generation:
        question = request.messages[-1].text if request.messages else request.prompt
        return Generation((question,))


class Exact:
    """Whether the answer is the reference."""

    definition = "exact@1"
    higher_is_better = True

    def score(self, sample: Sample, generation: Generation) -> Score:
        return Score(float(generation.text in sample.references), parsed=generation.text)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


class NotebookSettings(Settings):
    """Where the notebook lies."""

    path: Path = Field(default=Path("notebook.jsonl"), description="The file, in the home folder.")
    login: str | None = Field(default=None, description="What opens the notebook.")


class Notebook:
    """Writes a line a result; cannot while there is a file `<path>.closed`."""

    def __init__(self, settings: NotebookSettings) -> None:
        self._settings = settings
        self._path = settings.path

    async def open(self, run: RunInfo) -> None:
        self._path = run.home / self._settings.path

    async def deliver(self, result: TaskResult) -> Receipt:
        if self._path.with_suffix(".closed").exists():
            raise TrackerError("the notebook is closed", hint="open it")
        known = self._path.read_text().splitlines() if self._path.exists() else []
        if result.id not in (json.loads(line)["id"] for line in known):
            with self._path.open("a") as file:
                file.write(json.dumps({"id": result.id, "task": result.task}) + "\n")
        return Receipt(str(self._path))

    async def close(self) -> None:
        """Keep nothing open."""


@hookimpl
def llmeval_register_datasets() -> Iterable[Component[CapitalsSettings, Dataset]]:
    """Offer the data set."""
    yield Component("capitals", CapitalsSettings, Capitals, "capitals of the world", argument="n")


@hookimpl
def llmeval_register_models() -> Iterable[Component[Settings, ModelProvider]]:
    """Offer two models."""
    yield Component("atlas", Settings, lambda settings: Atlas(), "knows two capitals")
    yield Component("parrot", Settings, lambda settings: Parrot(), "repeats the question")


@hookimpl
def llmeval_register_metrics() -> Iterable[Component[Settings, Metric]]:
    """Offer the metric."""
    yield Component(
        "exact",
        Settings,
        lambda settings: Exact(),
        "the answer is the reference",
        example="metrics: [exact]",
    )


@hookimpl
def llmeval_register_trackers() -> Iterable[Component[NotebookSettings, Tracker]]:
    """Offer the tracker."""
    yield Component("notebook", NotebookSettings, Notebook, "a line a result", argument="path")


@hookimpl
def llmeval_register_checks() -> Iterable[Check]:
    """Offer a check."""
    yield Check("atlas", lambda home: CheckOutcome("ok", "on the shelf"))
