"""A metric that cannot score a sample takes the scores of no other metric with it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval_core.completeness import coverage_of, current_by_metric
from llmeval_core.config import ComponentConfig, TaskDefaults
from llmeval_core.contracts import Ask, Item, MetricInfo, Question
from llmeval_core.errors import ModelError
from llmeval_core.journal import Journal
from llmeval_core.records import (
    Aggregate,
    Failure,
    Generation,
    Message,
    Mode,
    Sample,
    SampleResult,
    Score,
    TaskResult,
)
from llmeval_core.statistics import mean_aggregate
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, ListTracker, run_in

NAMES = ("first", "second", "third")
CATEGORIES = ("a", "b", None)


class Choosy(FakeMetric):
    """Scores by the length of the question, except those that it cannot score."""

    def __init__(self, name: str, cannot: Iterable[str] = ()) -> None:
        super().__init__(f"{name}@1")
        self.cannot = frozenset(cannot)
        self._factor = len(name)

    def score(self, sample: Sample, generation: Generation) -> Score:
        if sample.id in self.cannot:
            raise ValueError(f"nothing to say of {sample.id}")
        return Score(float(int(sample.id) * self._factor % 7), "read", (float(sample.id),))


class Corpus(Choosy):
    """Has numbers of all samples together only."""

    def score(self, sample: Sample, generation: Generation) -> Score:
        return replace(super().score(sample, generation), value=None)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        parts = [score.parts[0] for score in scores]
        return Aggregate(value=sum(parts) if parts else None, n_scored=len(parts))


class Judged(FakeMetric):
    """Asks a judge, which must say a number."""

    roles: Mapping[str, int] = MappingProxyType({"judge": 1})

    def __init__(self) -> None:
        super().__init__("judged@1")

    async def score(self, sample: Sample, generation: Generation, ask: Ask) -> Score:  # type: ignore[override]
        verdict = await ask(Question((Message("user", f"judge {sample.id}"),)), role="judge")
        if not verdict.text.isdigit():
            raise ValueError("no verdict")
        return Score(float(verdict.text), details={"said": verdict.text})


def samples(n: int) -> list[Sample]:
    return [
        Sample(str(i), f"question {i}", (f"question {i}",), category=CATEGORIES[i % 3])
        for i in range(n)
    ]


def dataset(n: int = 6, metrics: Sequence[str] = NAMES) -> FakeDataset:
    components = tuple(ComponentConfig(use=name) for name in metrics)
    return FakeDataset(samples(n), defaults=TaskDefaults(metrics=components))


def aggregates(result: TaskResult) -> dict[str, Aggregate]:
    return {metric.key: metric.aggregate for metric in result.metrics}


def of(result: TaskResult, metric: str) -> Aggregate:
    return aggregates(result)[f"fake_0shot_{metric}"]


def samples_in(home: Path) -> list[SampleResult]:
    with Journal(home) as journal, journal.reader() as reader:
        *_, task = reader.tasks()
        return list(reader.sample_results(task.id))


async def test_the_other_scores_of_a_sample_are_kept(tmp_path: Path) -> None:
    metrics = {"first": Choosy("first"), "second": Choosy("second", "24")}

    outcome = await run_in(tmp_path, datasets={"fake": dataset(6, tuple(metrics))}, metrics=metrics)

    (result,) = outcome.summary.results
    counts = {name: (of(result, name).n_scored, of(result, name).n_failed) for name in metrics}
    assert counts == {"first": (6, 0), "second": (4, 2)}
    assert (result.n_samples, result.n_failed) == (6, 2)
    assert result.outcomes == {"answered": 4, "unscored": 2}
    found = samples_in(tmp_path)[2]
    assert dict(found.scores) == {"first": Score(10.0 % 7, "read", (2.0,))}
    assert found.metric_failures == {"second": Failure("metric", "nothing to say of 2")}
    assert found.failure == Failure("metric", "second: nothing to say of 2")
    assert found.reasons == ("second: nothing to say of 2",)
    assert found.outcome == "unscored"


async def test_a_category_counts_what_its_metric_lacks(tmp_path: Path) -> None:
    metrics = {"first": Choosy("first"), "second": Choosy("second", "03")}

    outcome = await run_in(tmp_path, datasets={"fake": dataset(6, tuple(metrics))}, metrics=metrics)

    (result,) = outcome.summary.results
    found = {key: (one.n_scored, one.n_failed) for key, one in aggregates(result).items()}
    assert found == {
        "fake_0shot_first": (6, 0),
        "fake_0shot_first/a": (2, 0),
        "fake_0shot_first/b": (2, 0),
        "fake_0shot_second": (4, 2),
        "fake_0shot_second/a": (0, 2),
        "fake_0shot_second/b": (2, 0),
    }


@settings(max_examples=15, deadline=None)
@given(
    cannot=st.fixed_dictionaries(
        {name: st.frozensets(st.sampled_from("01234567")) for name in NAMES}
    ),
    broken=st.frozensets(st.sampled_from(NAMES)),
    cut_off=st.frozensets(st.sampled_from("01234567")),
    unanswered=st.frozensets(st.sampled_from("01234567"), max_size=3),
    truncated=st.sampled_from(["score", "exclude"]),
)
def test_every_other_number_is_that_of_a_run_without_the_failing_metrics(
    cannot: dict[str, frozenset[str]],
    broken: frozenset[str],
    cut_off: frozenset[str],
    unanswered: frozenset[str],
    truncated: str,
) -> None:
    class Cutting(FakeModel):
        async def generate(self, request: Any) -> Generation:
            answer = await super().generate(request)
            if answer.text[-1] in unanswered:
                raise ModelError("bad_request", "no")
            return replace(
                answer, stop_reasons=("length" if answer.text[-1] in cut_off else "stop",)
            )

    async def run(names: Sequence[str], failing: frozenset[str]) -> dict[str, Aggregate]:
        kinds = {"first": Choosy, "second": Corpus, "third": Choosy}
        metrics = {
            name: kinds[name](name, cannot[name] if name in failing else ()) for name in names
        }
        with tempfile.TemporaryDirectory() as home:
            outcome = await run_in(
                Path(home),
                models={"fake": Cutting()},
                datasets={"fake": dataset(8, names)},
                metrics=metrics,
                truncated=truncated,
                give_up_after=100,
            )
        assert len(outcome.summary.results) <= 1
        return {
            key: one
            for result in outcome.summary.results
            for key, one in aggregates(result).items()
        }

    sound = [name for name in NAMES if name not in broken]

    whole = asyncio.run(run(NAMES, broken))
    alone = asyncio.run(run(sound, broken)) if sound else {}

    assert {key: whole[key] for key in alone} == alone
    for key, one in whole.items():
        n_all = 8 if "/" not in key else sum(CATEGORIES[i % 3] == key[-1] for i in range(8))
        assert one.n_scored + one.n_failed + one.n_excluded == n_all


async def test_a_sample_whose_judge_gave_no_verdict_keeps_its_other_scores(tmp_path: Path) -> None:
    judge = FakeModel(lambda asked: "well" if asked.endswith("3") else "1", cache_key="judge")
    metrics = {"first": Choosy("first"), "judged": Judged()}

    outcome = await run_in(
        tmp_path,
        role_models={"judge": judge},
        datasets={"fake": dataset(5, tuple(metrics))},
        metrics=metrics,
    )

    (result,) = outcome.summary.results
    assert (of(result, "first").n_scored, of(result, "first").n_failed) == (5, 0)
    assert (of(result, "judged").n_scored, of(result, "judged").n_failed) == (4, 1)
    found = samples_in(tmp_path)[3]
    assert set(found.scores) == {"first"}
    assert found.reasons == ("judged: no verdict",)
    assert [turn.role for turn in found.turns] == ["model", "judge"]


async def test_a_judge_that_never_gives_a_verdict_leaves_the_other_numbers(tmp_path: Path) -> None:
    judge = FakeModel(lambda _: "well", cache_key="judge")
    metrics = {"first": Choosy("first"), "judged": Judged()}
    tracker = ListTracker()

    outcome = await run_in(
        tmp_path,
        role_models={"judge": judge},
        datasets={"fake": dataset(5, tuple(metrics))},
        metrics=metrics,
        trackers={"list": tracker},
    )

    assert outcome.errors == ()
    (result,) = tracker.results
    assert of(result, "first").n_scored == 5
    assert of(result, "judged") == Aggregate(value=None, n_scored=0, n_failed=5)


async def test_running_again_scores_what_lacks_and_asks_nothing(tmp_path: Path) -> None:
    second = Choosy("second", "24")
    metrics = {"first": Choosy("first"), "second": second}
    data = {"fake": dataset(6, tuple(metrics))}
    await run_in(tmp_path, datasets=data, metrics=metrics)
    second.cannot = frozenset()
    model = FakeModel()

    again = await run_in(tmp_path, models={"fake": model}, datasets=data, metrics=metrics)

    (result,) = again.summary.results
    assert model.requests == []
    assert (of(result, "second").n_scored, of(result, "second").n_failed) == (6, 0)
    assert result.outcomes == {"answered": 6}
    assert all(not one.metric_failures and one.failure is None for one in samples_in(tmp_path))


@pytest.mark.parametrize("given", ["a failure", "no score", "nan"])
async def test_a_task_says_which_of_its_metrics_cannot_score_an_item(
    tmp_path: Path, given: str
) -> None:
    wrong: dict[str, Any] = {
        "a failure": Failure("metric", "no label"),
        "no score": 1.0,
        "nan": Score(float("nan")),
    }

    class Scoring:
        name = "scoring"
        n_shots = 0
        modes: frozenset[Mode] = frozenset({"chat"})
        roles: Mapping[str, int] = MappingProxyType({})
        metrics = MappingProxyType(
            {
                name: MetricInfo(f"{name}@1", higher_is_better=True, aggregate=mean_aggregate)
                for name in ("one", "other")
            }
        )

        def fingerprint(self) -> str:
            return "1"

        def size(self) -> int:
            return 3

        def items(self) -> Iterable[Item]:
            for i in range(3):
                question = Question((Message("user", f"question {i}"),))
                yield Item(Sample(str(i), f"question {i}"), (question,))

        async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
            return [await ask(question) for question in item.questions]

        def score(
            self, item: Item, answers: Sequence[Generation], ask: Ask
        ) -> Mapping[str, Score | Failure]:
            return {
                "one": Score(1.0),
                "other": wrong[given] if item.sample.id == "1" else Score(0.0),
            }

    outcome = await run_in(tmp_path, ready_tasks={"scoring": Scoring()})

    (result,) = outcome.summary.results
    counts = {
        one.metric: (one.aggregate.n_scored, one.aggregate.n_failed) for one in result.metrics
    }
    assert counts == {"one": (3, 0), "other": (2, 1)}
    expected = {
        "a failure": "other: no label",
        "no score": "other: score() gave a float, not a Score (a bug in the task; tell its author)",
        "nan": "other: the score is not a finite number",
    }
    assert samples_in(tmp_path)[1].reasons == (expected[given],)


async def test_the_more_complete_number_of_each_metric_stands(tmp_path: Path) -> None:
    second = Choosy("second")
    metrics = {"first": Choosy("first"), "second": second}
    data = {"fake": dataset(6, tuple(metrics))}
    whole = (await run_in(tmp_path, datasets=data, metrics=metrics)).summary.results[0]
    second.cannot = frozenset("012")
    metrics["first"].definition = "first@2"  # another task, under the same key

    part = (await run_in(tmp_path, datasets=data, metrics=metrics)).summary.results[0]

    stands = current_by_metric([whole, part])
    assert {name: one.id for name, one in stands.items()} == {"first": part.id, "second": whole.id}
    assert coverage_of(part).n_failed == 3
    assert coverage_of(part, "first").n_failed == 0
    assert coverage_of(part, "second").n_failed == 3


async def test_what_is_not_judged_in_time_keeps_its_other_scores(tmp_path: Path) -> None:
    class Slow(FakeModel):
        async def generate(self, request: Any) -> Generation:
            if request.messages[-1].text.endswith(("3", "4")):
                await asyncio.sleep(3)
            return await super().generate(request)

    judge = Slow(lambda _: "1", cache_key="judge")
    metrics = {"first": Choosy("first"), "judged": Judged()}
    given: dict[str, Any] = {
        "datasets": {"fake": dataset(5, tuple(metrics))},
        "metrics": metrics,
    }

    late = await run_in(
        tmp_path, **given, role_models={"judge": judge}, timeouts={"task_s": 1.0}, concurrency=8
    )
    found = samples_in(tmp_path)
    model = FakeModel()
    again = await run_in(
        tmp_path,
        **given,
        models={"fake": model},
        role_models={"judge": FakeModel(lambda _: "1", cache_key="judge")},
    )

    (result,) = late.summary.results
    assert (of(result, "first").n_scored, of(result, "first").n_failed) == (5, 0)
    assert (of(result, "judged").n_scored, of(result, "judged").n_failed) == (3, 2)
    assert found[3].reasons == ("judged: judge: no answer before timeouts.task_s was over",)
    assert found[3].outcome == "unscored"
    assert found[3].generation is not None
    assert model.requests == []
    assert again.summary.results[0].n_failed == 0
