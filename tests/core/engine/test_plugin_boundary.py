"""The border to models and executors: what breaks a promise is told, and by whom."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from llmeval_core.contracts import ExecutionRequest, Model, Receipt, RunInfo
from llmeval_core.errors import ConfigError, FailureKind, ModelError
from llmeval_core.journal import Journal
from llmeval_core.records import Failure, Generation, Loglikelihood, Request, TaskResult
from llmeval_core.testing import FakeDataset, FakeModel, ListTracker, make_sample, run_in

Finish = Callable[[Request, Generation | Failure], Awaitable[None]]


async def test_a_model_that_cannot_be_opened_is_opened_once(tmp_path: Path) -> None:
    class Closed(FakeModel):
        async def open(self, model: str) -> FakeModel:
            self.n_opened += 1
            await asyncio.sleep(0)
            raise ConfigError("there are no weights", hint="fetch them")

    model = Closed()

    outcome = await run_in(
        tmp_path,
        datasets={"a": FakeDataset(50, name="a"), "b": FakeDataset(name="b")},
        models={"fake": model},
    )

    assert model.n_opened == 1
    assert [str(error) for error in outcome.errors] == [
        "there are no weights\n  where: model fake/model\n  try:   fetch them"
    ]


async def test_a_model_that_does_not_close_is_told_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Jammed(FakeModel):
        async def aclose(self) -> None:
            raise RuntimeError("the lid is stuck")

    with caplog.at_level(logging.WARNING):
        outcome = await run_in(tmp_path, models={"fake": Jammed()})

    assert len(outcome.summary.results) == 1
    assert caplog.messages == ["model 'fake/model' did not close: RuntimeError: the lid is stuck"]


async def test_an_answer_that_is_none_names_the_model(tmp_path: Path) -> None:
    class Forgetful(FakeModel):
        async def generate(self, request: Request) -> Generation:
            return None  # type: ignore[return-value]  # the point

    outcome = await run_in(tmp_path, models={"fake": Forgetful()})

    assert [str(error) for error in outcome.errors] == [
        "the model gave a NoneType, not a Generation\n"
        "  where: fake/model, fake_0shot\n"
        "  try:   this is a bug in the plugin; tell its author"
    ]


async def test_too_few_log_likelihoods_are_a_malformed_answer(tmp_path: Path) -> None:
    class Short(FakeModel):
        async def generate(self, request: Request) -> Generation:
            self.requests.append(request)
            n = len(request.continuations) - (request.sample_id == "0")
            return Generation(loglikelihoods=(Loglikelihood(-1.0),) * n)

    choices = [make_sample(id=str(n), input=str(n), choices=("a", "b"), answer=0) for n in range(2)]
    model = Short()

    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(choices)},
        models={"fake": model},
        retry={"max_attempts": 2, "base_s": 0.001},
    )

    assert len(model.requests) == 3
    with Journal(tmp_path) as journal, journal.reader() as reader:
        failures = [item.failure for item in reader.sample_results(1)]
    told = "the model's answer is not usable: 1 log-likelihoods for 2 choices"
    assert failures == [Failure("malformed", told), None]
    assert outcome.summary.n_failed == 1


class Farm:
    """Answers the first requests only."""

    def __init__(self, *, n_pulled: int, n_answered: int) -> None:
        self._n_pulled, self._n_answered = n_pulled, n_answered

    async def run(
        self, job: ExecutionRequest, requests: AsyncIterator[Request], finish: Finish
    ) -> None:
        for number in range(self._n_pulled):
            try:
                request = await anext(requests)
            except StopAsyncIteration:
                break
            if number < self._n_answered:
                await finish(request, Generation((request.messages[-1].text,)))


@pytest.mark.parametrize(("n_pulled", "n_answered"), [(0, 0), (2, 2), (9, 2)])
async def test_an_executor_that_leaves_requests_unanswered_is_an_error(
    tmp_path: Path, n_pulled: int, n_answered: int
) -> None:
    farm = Farm(n_pulled=n_pulled, n_answered=n_answered)

    outcome = await run_in(tmp_path, executors={"farm": farm}, executor="farm")

    assert [str(error) for error in outcome.errors] == [
        "the executor ended before every request was answered\n"
        "  where: fake/model, fake_0shot\n"
        "  try:   this is a bug in the plugin; run again to go on"
    ]
    assert outcome.summary.results == ()


async def test_an_executor_may_open_the_model_and_fail_with_it(tmp_path: Path) -> None:
    class Opening:
        async def run(
            self, job: ExecutionRequest, requests: AsyncIterator[Request], finish: Finish
        ) -> None:
            model: Model = await job.open()
            async for request in requests:
                await finish(request, await model.generate(request))

    model = FakeModel(fail_first=[ModelError("auth", "wrong key")])

    outcome = await run_in(
        tmp_path, models={"fake": model}, executors={"here": Opening()}, executor="here"
    )

    assert [error.what for error in outcome.errors] == ["wrong key"]
    assert (model.n_opened, model.n_closed) == (1, 1)


class PanicException(BaseException):
    """No Exception, as pyo3's own."""


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (PanicException("index out of bounds"), "plugin", "PanicException: index out of bounds"),
        (SystemExit(7), "plugin", "SystemExit: 7"),
        (GeneratorExit(), "plugin", "GeneratorExit"),
        (asyncio.CancelledError(), "plugin", "CancelledError"),
        (KeyError("choices"), "plugin", "KeyError: 'choices'"),
    ],
    ids=["panic", "exit", "generator", "cancelled", "bug"],
)
async def test_whatever_a_model_raises_fails_that_sample_and_no_other(
    error: BaseException, kind: FailureKind, told: str, tmp_path: Path
) -> None:
    """Case h4-plugin-raises-baseexception: in mid-run it is the model's failure."""

    class Fragile(FakeModel):
        async def generate(self, request: Request) -> Generation:
            if request.sample_id == "1":
                await asyncio.sleep(0)
                raise error
            return await super().generate(request)

    outcome = await run_in(tmp_path, models={"fake": Fragile()})

    with Journal(tmp_path) as journal, journal.reader() as reader:
        failures = [item.failure for item in reader.sample_results(1)]
    assert failures == [None, Failure(kind, f"the model failed: {told}"), None]
    assert [(r.n_samples, r.n_failed) for r in outcome.summary.results] == [(3, 1)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (SystemExit("no weights"), "SystemExit: no weights"),
        (PanicException(), "PanicException"),
        (MemoryError(), "MemoryError"),
        (None, "TypeError: open() gave a NoneType, not a Model"),
    ],
    ids=["exit", "panic", "memory", "nothing"],
)
async def test_a_provider_that_breaks_while_opening_ends_its_model_only(
    given: BaseException | None, told: str, tmp_path: Path
) -> None:
    class Breaking(FakeModel):
        async def open(self, model: str) -> FakeModel:
            if given is not None:
                raise given
            return None  # type: ignore[return-value]  # the point

    outcome = await run_in(tmp_path, models={"bad": Breaking(), "good": FakeModel()})

    assert [str(error) for error in outcome.errors] == [
        f"the model cannot be opened: {told}\n"
        "  where: model bad/model\n"
        "  try:   this is a bug in the plugin; tell its author"
    ]
    assert [result.model for result in outcome.summary.results] == ["good/model"]


async def test_an_executor_that_leaves_by_sys_exit_is_an_error_and_no_traceback(
    tmp_path: Path,
) -> None:
    class Leaving:
        async def run(
            self, job: ExecutionRequest, requests: AsyncIterator[Request], finish: Finish
        ) -> None:
            sys.exit(5)

    outcome = await run_in(tmp_path, executors={"farm": Leaving()}, executor="farm")

    assert [str(error) for error in outcome.errors] == [
        "the executor failed: SystemExit: 5\n"
        "  where: fake/model, fake_0shot\n"
        "  try:   this is a bug in the plugin; tell its author"
    ]


@pytest.mark.parametrize("broken", ["open", "deliver", "close", "junk"])
async def test_a_tracker_that_panics_leaves_the_results_waiting(
    broken: str, tmp_path: Path
) -> None:
    class Panicking(ListTracker):
        async def open(self, run: RunInfo) -> None:
            if broken == "open":
                raise PanicException("no")

        async def deliver(self, result: TaskResult) -> Receipt:
            if broken == "deliver":
                sys.exit(3)
            if broken == "junk":
                return "done"  # type: ignore[return-value]  # the point
            return await super().deliver(result)

        async def close(self) -> None:
            if broken == "close":
                raise GeneratorExit

    outcome = await run_in(tmp_path, trackers={"bad": Panicking(), "good": ListTracker()})

    reasons = {report.tracker: report.reason for report in outcome.deliveries}
    told = {
        "open": "PanicException: no",
        "deliver": "SystemExit: 3",
        "close": None,
        "junk": "TypeError: deliver() gave a str, not a Receipt",
    }
    assert reasons == {"bad": told[broken], "good": None}
