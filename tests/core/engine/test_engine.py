"""The engine: what is asked, what is not asked again, what stops a run and what does not."""

from __future__ import annotations

import asyncio
import dataclasses
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from llmeval_core.contracts import ExecutionRequest, Model, ModelFactory, ModelInfo
from llmeval_core.errors import DatasetError, ModelError
from llmeval_core.records import Failure, Generation, Request, Sample, Score
from llmeval_core.testing import (
    FakeDataset,
    FakeMetric,
    FakeModel,
    ListTracker,
    make_sample,
    run_in,
)


def values(outcome: object) -> dict[str, float | None]:
    results = outcome.summary.results  # type: ignore[attr-defined]
    return {metric.key: metric.aggregate.value for r in results for metric in r.metrics}


async def test_a_run_ends_in_results(tmp_path: Path) -> None:
    outcome = await run_in(tmp_path)

    assert values(outcome) == {"fake_0shot_fake": 1.0}
    assert outcome.summary.n_samples == 3
    assert outcome.errors == ()


async def test_the_same_run_again_asks_nothing_and_does_not_open_the_model(tmp_path: Path) -> None:
    await run_in(tmp_path)
    model = FakeModel()

    outcome = await run_in(tmp_path, models={"fake": model})

    assert values(outcome) == {"fake_0shot_fake": 1.0}
    assert model.n_opened == 0


async def test_other_metrics_score_without_a_model_call(tmp_path: Path) -> None:
    await run_in(tmp_path)
    model = FakeModel()

    outcome = await run_in(tmp_path, models={"fake": model}, metrics={"other": FakeMetric("o@1")})

    assert values(outcome) == {"fake_0shot_other": 1.0}
    assert model.requests == []


async def test_a_larger_limit_asks_only_what_is_new(tmp_path: Path) -> None:
    datasets = {"fake": FakeDataset(10)}
    await run_in(tmp_path, datasets=datasets, limit=4)
    model = FakeModel()

    await run_in(tmp_path, datasets=datasets, models={"fake": model}, limit=10)

    assert sorted(request.sample_id for request in model.requests) == ["4", "5", "6", "7", "8", "9"]


async def test_another_identity_of_the_model_is_asked_anew(tmp_path: Path) -> None:
    await run_in(tmp_path)
    model = FakeModel(cache_key="other server")

    await run_in(tmp_path, models={"fake": model})

    assert len(model.requests) == 3


async def test_the_same_question_twice_is_asked_once(tmp_path: Path) -> None:
    model = FakeModel(latency_s=0.01)
    twins = [Sample("a", "same?", ("same?",)), Sample("b", "same?", ("same?",))]

    outcome = await run_in(tmp_path, datasets={"fake": FakeDataset(twins)}, models={"fake": model})

    assert len(model.requests) == 1
    assert outcome.summary.results[0].n_samples == 2


async def test_an_empty_data_set_is_an_error(tmp_path: Path) -> None:
    outcome = await run_in(tmp_path, datasets={"fake": FakeDataset([])})

    assert str(outcome.errors[0]) == (
        "data set 'fake' is empty\n  where: fake_0shot\n"
        "  try:   check its path, its split and its filters"
    )


async def test_an_id_that_comes_twice_is_an_error(tmp_path: Path) -> None:
    samples = [make_sample(id="x"), make_sample(id="y"), make_sample(id="x")]

    outcome = await run_in(tmp_path, datasets={"fake": FakeDataset(samples)})

    assert isinstance(outcome.errors[0], DatasetError)
    assert outcome.errors[0].what == "sample id 'x' comes twice in data set 'fake'"


async def test_results_do_not_depend_on_concurrency(tmp_path: Path) -> None:
    datasets = {"fake": FakeDataset(40)}

    def answer(text: str) -> str:
        return text if text.endswith(("1", "2")) else "?"

    one = await run_in(
        tmp_path / "1", datasets=datasets, models={"fake": FakeModel(answer)}, concurrency=1
    )
    many = await run_in(
        tmp_path / "2", datasets=datasets, models={"fake": FakeModel(answer)}, concurrency=16
    )

    assert one.summary.results[0].metrics == many.summary.results[0].metrics


async def test_no_more_requests_than_the_concurrency_are_under_way(tmp_path: Path) -> None:
    model = FakeModel(latency_s=0.002)

    await run_in(
        tmp_path, datasets={"fake": FakeDataset(50)}, models={"fake": model}, concurrency=7
    )

    assert model.most_under_way == 7


async def test_categories_have_keys_of_their_own(tmp_path: Path) -> None:
    samples = [
        Sample("1", "a", ("a",), category="x"),
        Sample("2", "b", ("?",), category="y"),
    ]

    outcome = await run_in(tmp_path, datasets={"fake": FakeDataset(samples)})

    assert values(outcome) == {
        "fake_0shot_fake": 0.5,
        "fake_0shot_fake/x": 1.0,
        "fake_0shot_fake/y": 0.0,
    }


async def test_a_stopped_run_keeps_what_is_finished_and_goes_on_later(tmp_path: Path) -> None:
    stop = asyncio.Event()
    datasets = {"fake": FakeDataset(100)}

    def answer(text: str) -> str:
        if text.endswith(" 10"):
            stop.set()
        return text

    outcome = await run_in(
        tmp_path,
        datasets=datasets,
        models={"fake": FakeModel(answer)},
        concurrency=1,
        stop=stop,
    )
    second = FakeModel()
    again = await run_in(tmp_path, datasets=datasets, models={"fake": second})

    assert outcome.summary.interrupted
    assert outcome.summary.results == ()
    assert 11 + len(second.requests) == 100
    assert values(again) == {"fake_0shot_fake": 1.0}


async def test_going_back_to_earlier_settings_delivers_them_again(tmp_path: Path) -> None:
    tracker = ListTracker()
    trackers = {"list": tracker}
    first: dict[str, Any] = {"generation": {"max_tokens": 3}}
    second: dict[str, Any] = {"generation": {"max_tokens": 2}}
    await run_in(tmp_path, trackers=trackers, **first)
    await run_in(tmp_path, trackers=trackers, **second)

    await run_in(tmp_path, trackers=trackers, **first)
    await run_in(tmp_path, trackers=trackers, **first)

    asked = [result.settings["generation"] for result in tracker.results]
    assert [one["max_tokens"] for one in asked if isinstance(one, dict)] == [3, 2, 3]


async def test_a_smoke_run_does_not_take_the_place_of_a_full_one(tmp_path: Path) -> None:
    """Case n3-limit-overwrites, for any tracker that keeps one value a key."""
    tracker = ListTracker()
    trackers = {"list": tracker}
    await run_in(tmp_path, trackers=trackers)
    await run_in(tmp_path, trackers=trackers, limit=1)

    await run_in(tmp_path, trackers=trackers, limit=2, replace=True)
    await run_in(tmp_path, trackers=trackers, limit=1)

    assert [result.n_samples for result in tracker.results] == [3, 2]


async def test_a_full_run_again_after_a_smoke_run_is_nothing_new(tmp_path: Path) -> None:
    tracker = ListTracker()
    full = await run_in(tmp_path, trackers={"list": tracker})
    await run_in(tmp_path, trackers={"list": tracker}, limit=1)

    again = await run_in(tmp_path, trackers={"list": tracker})

    assert again.summary.results == full.summary.results
    assert len(tracker.results) == 1


async def test_a_metric_that_stands_nowhere_yet_is_delivered_of_a_smoke_run(
    tmp_path: Path,
) -> None:
    tracker = ListTracker()
    await run_in(tmp_path, trackers={"list": tracker}, metrics={"one": FakeMetric()})

    both = {"one": FakeMetric(), "two": FakeMetric()}
    await run_in(tmp_path, trackers={"list": tracker}, metrics=both, limit=1)

    delivered = [[metric.key for metric in result.metrics] for result in tracker.results]
    assert delivered == [["fake_0shot_one"], ["fake_0shot_two"]]


async def test_a_tracker_that_keeps_all_gets_all(tmp_path: Path) -> None:
    class Log(ListTracker):
        keeps_all = True

    tracker = Log()
    await run_in(tmp_path, trackers={"list": tracker})

    await run_in(tmp_path, trackers={"list": tracker}, limit=1)

    assert [result.n_samples for result in tracker.results] == [3, 1]


async def test_variants_of_a_task_stand_side_by_side(tmp_path: Path) -> None:
    tasks = [
        {"dataset": "fake"},
        {"dataset": "fake", "variant": "polite", "prompt": {"system": "Please."}},
    ]

    outcome = await run_in(tmp_path, tasks=tasks)

    assert set(values(outcome)) == {"fake_0shot_fake", "fake_0shot.polite_fake"}


async def test_an_executor_answers_all_requests(tmp_path: Path) -> None:
    class Farm:
        async def run(
            self,
            job: ExecutionRequest,
            requests: AsyncIterator[Request],
            finish: Callable[[Request, Generation | Failure], Awaitable[None]],
        ) -> None:
            async for request in requests:
                await finish(request, Generation((request.messages[-1].text,)))

    model = FakeModel()

    outcome = await run_in(
        tmp_path, models={"fake": model}, executors={"farm": Farm()}, executor="farm"
    )

    assert values(outcome) == {"fake_0shot_fake": 1.0}
    assert model.n_opened == 0


async def test_an_executor_can_open_the_model_elsewhere_and_leave_the_asking_to_us(
    tmp_path: Path,
) -> None:
    class Elsewhere:
        def __init__(self) -> None:
            self.models: list[FakeModel] = []

        async def run(
            self,
            job: ExecutionRequest,
            requests: AsyncIterator[Request],
            finish: Callable[[Request, Generation | Failure], Awaitable[None]],
        ) -> None:
            assert job.local is not None
            there = dataclasses.replace(job, open=partial(self._open, job))
            await job.local.run(there, requests, finish)

        async def _open(self, job: ExecutionRequest) -> Model:
            assert job.open_by is not None
            return await job.open_by(self._open_recipe)

        async def _open_recipe(self, recipe: ModelFactory) -> Model:
            copy = pickle.loads(pickle.dumps(recipe))
            self.models.append(FakeModel(fail_first=[ModelError("connection", "not yet")]))
            assert copy.provider.describe(copy.model) == FakeModel().describe("model")
            return self.models[-1]

    executor = Elsewhere()

    outcome = await run_in(
        tmp_path,
        models={"fake": PicklableProvider()},
        datasets={"one": FakeDataset(name="one"), "two": FakeDataset(5, name="two")},
        executors={"elsewhere": executor},
        executor="elsewhere",
        retry={"base_s": 0.001},
    )

    assert values(outcome) == {"one_0shot_fake": 1.0, "two_0shot_fake": 1.0}
    assert [(model.n_opened, model.n_closed) for model in executor.models] == [(0, 1)]
    assert outcome.summary.n_failed == 0


class PicklableProvider:
    def describe(self, model: str) -> ModelInfo:
        return FakeModel().describe(model)

    async def open(self, model: str) -> Model:
        raise AssertionError("it is opened elsewhere")


async def test_an_async_metric_is_awaited(tmp_path: Path) -> None:
    class Judge(FakeMetric):
        async def score(self, sample, generation):  # type: ignore[no-untyped-def, override]
            await asyncio.sleep(0)
            return super().score(sample, generation)

    outcome = await run_in(tmp_path, metrics={"judge": Judge()})

    assert values(outcome) == {"fake_0shot_judge": 1.0}


async def test_a_model_that_cannot_be_opened_is_tried_once_and_named(tmp_path: Path) -> None:
    class Closed(FakeModel):
        async def open(self, model: str) -> FakeModel:
            await super().open(model)
            raise ModelError("connection", "the weights are not there")

    model = Closed()

    outcome = await run_in(tmp_path, models={"fake": model}, concurrency=3)

    assert model.n_opened == 1
    assert str(outcome.errors[0]) == "the weights are not there\n  where: model fake/model"


async def test_each_model_answers_for_itself(tmp_path: Path) -> None:
    models = {"good": FakeModel(), "bad": FakeModel(lambda text: "?")}

    outcome = await run_in(tmp_path, models=models)

    assert [(r.model, r.metrics[0].aggregate.value) for r in outcome.summary.results] == [
        ("good/model", 1.0),
        ("bad/model", 0.0),
    ]
    assert [model.n_opened for model in models.values()] == [1, 1]


async def test_another_metric_scores_again_what_the_journal_has_across_chunks(
    tmp_path: Path,
) -> None:
    datasets = {"fake": FakeDataset(600)}
    await run_in(tmp_path, datasets=datasets)
    model = FakeModel()

    class Slow(FakeMetric):
        async def score(  # type: ignore[override]  # the contract allows both
            self, sample: Sample, generation: Generation
        ) -> Score:
            await asyncio.sleep(0)
            return super().score(sample, generation)

    outcome = await run_in(
        tmp_path, datasets=datasets, models={"fake": model}, metrics={"slow": Slow()}
    )

    assert values(outcome) == {"fake_0shot_slow": 1.0}
    assert outcome.summary.results[0].n_samples == 600
    assert model.requests == []


async def test_a_data_set_that_changed_is_asked_only_for_what_is_new(tmp_path: Path) -> None:
    old = [make_sample(id=str(n), input=f"old {n}") for n in range(5)]
    await run_in(tmp_path, datasets={"fake": FakeDataset(old)})
    model = FakeModel()

    await run_in(
        tmp_path,
        datasets={"fake": FakeDataset([make_sample(id="new", input="new"), *old])},
        models={"fake": model},
    )

    assert [request.sample_id for request in model.requests] == ["new"]
