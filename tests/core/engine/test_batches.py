"""Requests that come twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from llmeval_core.catalog import Catalog, RegisteredComponent, make_plan
from llmeval_core.config import Origin, RunConfig, Settings, TaskDefaults
from llmeval_core.contracts import ModelInfo
from llmeval_core.engine import run_plan
from llmeval_core.engine.duplicate_filter import DuplicateFilter
from llmeval_core.engine.sample_source import BATCH_SIZE
from llmeval_core.hooks import Component
from llmeval_core.host import load_plugins
from llmeval_core.journal import Journal
from llmeval_core.records import Aggregate, Generation, Request, Sample, Score
from llmeval_core.statistics import mean_aggregate
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, run_in


class Repeating:
    """Many samples, few questions."""

    name = "repeating"
    defaults = TaskDefaults()

    def __init__(self, n_samples: int, n_questions: int) -> None:
        self._n_samples = n_samples
        self._n_questions = n_questions

    def samples(self) -> Iterator[Sample]:
        for i in range(self._n_samples):
            yield Sample(str(i), f"question {i % self._n_questions}", ("yes",))

    def few_shot_pool(self) -> Iterator[Sample]:
        return self.samples()

    def size(self) -> int:
        return self._n_samples

    def fingerprint(self) -> str:
        return f"{self._n_samples} {self._n_questions}"


class Counting:
    """Answers at once, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def describe(self, model: str) -> ModelInfo:
        return ModelInfo(model, frozenset({"completion"}))

    async def open(self, model: str) -> Counting:
        return self

    async def generate(self, request: Request) -> Generation:
        self.asked.append(request.prompt)
        await asyncio.sleep(0)
        return Generation(("yes",))

    async def aclose(self) -> None:
        pass


class Yes:
    """1 for yes."""

    definition = "yes"
    higher_is_better = True

    def score(self, sample: Sample, generation: Generation) -> Score:
        return Score(float(generation.text == "yes"))

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


@pytest.mark.parametrize("n_questions", [1, 10, BATCH_SIZE - 1, BATCH_SIZE + 1])
async def test_a_request_that_comes_again_is_asked_once(tmp_path: Path, n_questions: int) -> None:
    model, dataset = Counting(), Repeating(3 * BATCH_SIZE, n_questions)
    catalog = Catalog(
        {
            "datasets": [
                RegisteredComponent(Component("repeating", Settings, lambda _: dataset, ""), "test")
            ],
            "models": [
                RegisteredComponent(Component("counting", Settings, lambda _: model, ""), "test")
            ],
            "metrics": [
                RegisteredComponent(Component("yes", Settings, lambda _: Yes(), ""), "test")
            ],
        }
    )
    config = RunConfig.model_validate(
        {
            "models": ["counting/x"],
            "tasks": [{"dataset": "repeating", "metrics": ["yes"]}],
            "concurrency": 4,
        }
    )
    plan = make_plan(config, catalog, origin=Origin(), observer=load_plugins(entry_points=[]))

    with Journal(tmp_path) as journal:
        outcome = await run_plan(plan, journal)

    assert sorted(set(model.asked)) == sorted(model.asked)
    assert n_questions == len(model.asked) == outcome.summary.n_requests
    assert outcome.summary.results[0].metrics[0].aggregate.n_scored == 3 * BATCH_SIZE


def test_what_came_before_is_found_in_the_same_call_and_in_later_ones() -> None:
    seen = DuplicateFilter()

    first = seen.add([1, 2, 1])
    second = seen.add([3, 2, 3, -(2**63)])

    assert first == [2]
    assert second == [1, 2]


class Changing(FakeDataset):
    """Claims to be the same whatever it holds."""

    def fingerprint(self) -> str:
        return "always the same"


def changing(*inputs: str) -> Changing:
    return Changing([Sample(str(i), text, ("yes",)) for i, text in enumerate(inputs)])


async def test_only_what_changed_is_asked_when_a_data_set_does_not_tell(tmp_path: Path) -> None:
    model = FakeModel()
    await run_in(tmp_path, datasets={"fake": changing("a", "b", "c")}, models={"fake": model})
    model.requests.clear()

    scored = await run_in(
        tmp_path,
        datasets={"fake": changing("a", "x", "c")},
        models={"fake": model},
        metrics={"fake": FakeMetric("other@1")},
    )

    assert [request.messages[-1].text for request in model.requests] == ["x"]
    assert scored.summary.results[0].n_samples == 3


async def test_other_choices_are_weighed_when_a_data_set_does_not_tell(tmp_path: Path) -> None:
    model = FakeModel()
    for choices in (("red", "blue"), ("cat", "dog")):
        model.requests.clear()
        dataset = Changing([Sample("0", "which?", ("x",), choices, 0)])
        name = choices[0]
        await run_in(
            tmp_path,
            datasets={"fake": dataset},
            models={"fake": model},
            metrics={"fake": FakeMetric(f"{name}@1")},
        )

    assert [request.continuations for request in model.requests] == [(" cat", " dog")]


async def test_a_larger_limit_asks_only_what_is_new(tmp_path: Path) -> None:
    model = FakeModel()
    for limit in (2, 5):
        model.requests.clear()
        scored = await run_in(
            tmp_path, datasets={"fake": FakeDataset(8)}, models={"fake": model}, limit=limit
        )

    assert len(model.requests) == 3
    assert scored.summary.results[0].n_samples == 5
