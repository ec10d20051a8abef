"""Failures: what fails a sample, a model, a run; and when it is given up."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from llmeval_core.engine import run_plan
from llmeval_core.engine.failure_policy import FailurePolicy
from llmeval_core.errors import FailureKind, LlmevalError, ModelError
from llmeval_core.journal import Journal
from llmeval_core.records import Failure, Generation, Sample, Score
from llmeval_core.testing import (
    FakeDataset,
    FakeMetric,
    FakeModel,
    make_sample,
    run_in,
)
from llmeval_core.testing.running import plan_of

NO_WAIT = {"max_attempts": 2, "base_s": 0.001}


async def test_a_failed_sample_is_data_and_the_run_goes_on(tmp_path: Path) -> None:
    model = FakeModel(fail_first=[ModelError("bad_request", "no")])

    outcome = await run_in(tmp_path, models={"fake": model})

    (result,) = outcome.summary.results
    assert (result.n_samples, result.n_failed) == (3, 1)
    assert result.metrics[0].aggregate.n_scored == 2
    assert result.metrics[0].aggregate.n_failed == 1


async def test_failed_samples_are_tried_again_and_finished_ones_are_not(tmp_path: Path) -> None:
    await run_in(tmp_path, models={"fake": FakeModel(fail_first=[ModelError("bad_request", "no")])})
    model = FakeModel()

    outcome = await run_in(tmp_path, models={"fake": model})

    assert len(model.requests) == 1
    assert outcome.summary.n_failed == 0


async def test_a_task_whose_every_sample_fails_is_an_error_and_no_result(tmp_path: Path) -> None:
    model = FakeModel(fail_first=[ModelError("bad_request", "no")] * 3)

    outcome = await run_in(tmp_path, models={"fake": model})

    assert outcome.summary.results == ()
    assert str(outcome.errors[0]) == ("every sample failed: no\n  where: fake/model, fake_0shot")


async def test_what_ends_a_task_names_the_server_that_was_asked(tmp_path: Path) -> None:
    error = ModelError("bad_request", "no", where="http://host/v1")

    outcome = await run_in(tmp_path, models={"fake": FakeModel(fail_first=[error] * 3)})

    assert str(outcome.errors[0]) == (
        "every sample failed: no\n  where: fake/model, fake_0shot, http://host/v1"
    )


async def test_a_refused_key_stops_the_model_at_once(tmp_path: Path) -> None:
    model = FakeModel(fail_first=[ModelError("auth", "wrong key", hint="check it")] * 100)

    outcome = await run_in(
        tmp_path,
        datasets={"a": FakeDataset(50, name="a"), "b": FakeDataset(name="b")},
        models={"fake": model},
        concurrency=1,
    )

    assert len(model.requests) == 1
    assert [error.what for error in outcome.errors] == ["wrong key"]
    assert outcome.summary.n_unfinished == 2


async def test_one_model_that_fails_does_not_stop_the_other(tmp_path: Path) -> None:
    models = {"bad": FakeModel(fail_first=[ModelError("auth", "no")] * 9), "good": FakeModel()}

    outcome = await run_in(tmp_path, models=models)

    assert [result.model for result in outcome.summary.results] == ["good/model"]


async def test_a_model_that_keeps_failing_is_given_up(tmp_path: Path) -> None:
    model = FakeModel(fail_first=[ModelError("overloaded", "busy")] * 1000)

    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(100)},
        models={"fake": model},
        give_up_after=5,
        concurrency=1,
        retry=NO_WAIT,
    )

    assert len(model.requests) == 10
    assert outcome.errors[0].what == "5 samples in a row failed: busy"


async def test_a_template_that_fails_on_one_row_fails_that_sample(tmp_path: Path) -> None:
    samples = [
        make_sample(
            id=str(n), input=str(n), references=(str(n),), metadata={} if n == 6 else {"f": n}
        )
        for n in range(8)
    ]

    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(samples)},
        tasks=[{"dataset": "fake", "prompt": {"template": "{{ metadata.f and input }}"}}],
    )

    assert outcome.summary.n_failed == 1
    with Journal(tmp_path) as journal, journal.reader() as reader:
        failed = [s for s in reader.sample_results(1) if s.failure is not None]
    assert [str(s.failure.message) for s in failed if s.failure] == [
        "prompt.template: 'dict object' has no attribute 'f' (sample '6')"
    ]


async def test_a_metric_that_fails_loses_no_answer_and_is_tried_again_without_the_model(
    tmp_path: Path,
) -> None:
    """Case h4-plugin-raises-baseexception: neither a server that is away nor a bug costs twice."""

    class Judge(FakeMetric):
        trouble: ClassVar[dict[str, BaseException]] = {
            "0": TimeoutError("the judge is away"),
            "1": SystemExit(4),
        }

        def score(self, sample: Sample, generation: Generation) -> Score:
            if sample.id in self.trouble:
                raise self.trouble[sample.id]
            return super().score(sample, generation)

    first = await run_in(tmp_path, metrics={"judge": Judge()})
    with Journal(tmp_path) as journal, journal.reader() as reader:
        kept = list(reader.sample_results(1))
    Judge.trouble = {}
    model = FakeModel()
    second = await run_in(tmp_path, metrics={"judge": Judge()}, models={"fake": model})

    assert [item.failure for item in kept] == [
        Failure("metric", "judge: TimeoutError: the judge is away"),
        Failure("metric", "judge: SystemExit: 4 (a bug in test 0; tell its author)"),
        None,
    ]
    assert [item.generation is not None for item in kept] == [True, True, True]
    assert [(r.n_samples, r.n_failed) for r in first.summary.results] == [(3, 2)]
    assert first.errors == ()
    assert [(r.n_samples, r.n_failed) for r in second.summary.results] == [(3, 0)]
    assert model.requests == []


async def test_a_metric_that_fails_on_every_sample_so_far_ends_the_task(tmp_path: Path) -> None:
    class Broken(FakeMetric):
        def score(self, sample: Sample, generation: Generation) -> Score:
            raise KeyError("no such key")

    model = FakeModel()
    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(1000)},
        models={"fake": model},
        metrics={"broken": Broken()},
        give_up_after=5,
        concurrency=1,
    )

    assert [str(error) for error in outcome.errors] == [
        "5 samples in a row failed: broken: KeyError: 'no such key' (a bug in test 0; tell its"
        " author)\n"
        "  where: fake/model, fake_0shot\n"
        "  try:   choose metrics that fit the data set; the answers are kept, and the same command"
        " scores them again"
    ]
    assert len(model.requests) == 5


async def test_a_metric_that_cannot_score_fails_the_sample(tmp_path: Path) -> None:
    class Picky(FakeMetric):
        def score(self, sample, generation):  # type: ignore[no-untyped-def]
            if sample.id == "1":
                raise ValueError("the sample has no reference")
            return super().score(sample, generation)

    outcome = await run_in(tmp_path, metrics={"picky": Picky()})

    assert outcome.summary.results[0].n_failed == 1


def give_up(*failures: FailureKind | None, after: int = 3) -> str | None:
    """Note failures (None: a success) one after another; return what it ends with."""
    counting = FailurePolicy(after=after, where="m/x, d_0shot")
    try:
        for kind in failures:
            if kind is None:
                counting.success()
            else:
                counting.failure(Failure(kind, "no"))
    except LlmevalError as err:
        return str(err)
    return None


@pytest.mark.parametrize(
    ("failures", "ends"),
    [
        (["overloaded"] * 2, False),
        (["overloaded"] * 3, True),
        (["overloaded", "timeout", "connection"], True),
        (["overloaded", "overloaded", None, "overloaded", "overloaded"], False),
        ([None, "overloaded", "overloaded", "overloaded"], True),
        (["bad_request"] * 3, True),
        ([None, *["bad_request"] * 9], False),
        ([None, *["context_too_long"] * 9], False),
        (["prompt"] * 3, True),
        ([None, "metric", "metric", "metric"], False),
    ],
)
def test_failures_in_a_row_end_a_run_if_they_are_the_models_or_nothing_ever_succeeded(
    failures: list[FailureKind | None], ends: bool
) -> None:
    assert (give_up(*failures) is not None) == ends


def test_giving_up_says_the_last_reason_and_what_to_try() -> None:
    assert give_up("timeout", "timeout", "timeout") == (
        "3 samples in a row failed: no\n"
        "  where: m/x, d_0shot\n"
        "  try:   raise timeouts.request_s, or lower the concurrency"
    )


async def test_a_model_that_is_given_up_is_asked_for_the_rest_by_the_next_run(
    tmp_path: Path,
) -> None:
    datasets = {"fake": FakeDataset(30)}

    def answer(text: str) -> str:
        if int(text.rsplit(maxsplit=1)[-1]) >= 10:
            raise ModelError("overloaded", "busy")
        return text

    first = FakeModel(answer)
    await run_in(
        tmp_path,
        datasets=datasets,
        models={"fake": first},
        give_up_after=3,
        concurrency=1,
        retry=NO_WAIT,
    )
    second = FakeModel()
    outcome = await run_in(tmp_path, datasets=datasets, models={"fake": second})

    assert len(first.requests) == 10 + 3 * 2
    assert len(second.requests) == 20
    assert outcome.summary.n_failed == 0


async def test_a_failure_tells_no_secret(tmp_path: Path) -> None:
    model = FakeModel(fail_first=[ModelError("bad_request", "no such key pa55word")])
    plan = plan_of(models={"fake": model})
    plan.redactor.add("pa55word")

    with Journal(tmp_path) as journal:
        await run_plan(plan, journal)
        with journal.reader() as reader:
            (failed,) = [one for one in reader.sample_results(1) if one.failure is not None]

    assert failed.failure == Failure("bad_request", "no such key ***")


async def test_an_error_that_ends_a_model_tells_no_secret(tmp_path: Path) -> None:
    error = ModelError("auth", "wrong key pa55word", where="pa55word@host", hint="not pa55word")
    plan = plan_of(models={"fake": FakeModel(fail_first=[error])})
    plan.redactor.add("pa55word")

    with Journal(tmp_path) as journal:
        outcome = await run_plan(plan, journal)

    assert str(outcome.errors[0]) == "wrong key ***\n  where: ***@host\n  try:   not ***"
