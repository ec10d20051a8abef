"""Whether a refusal ends a model or a sample: by what else is known of the model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.errors import FailureKind, ModelError
from llmeval_core.generation import ObservedAvailability
from llmeval_core.journal import Journal
from llmeval_core.records import TaskResult
from llmeval_core.testing import FakeDataset, FakeModel, run_in
from llmeval_core.testing.virtual_time import virtual_time

FATAL_KINDS: list[FailureKind] = ["auth", "not_found"]


def outcomes_of(home: Path, result: TaskResult) -> dict[str, str]:
    with Journal(home) as journal:
        return {s.sample.id: s.outcome for s in journal.samples_of(result)}


def refusing(*numbers: int, kind: FailureKind, **told: Any) -> FakeModel:
    """Answer all questions but those with these numbers."""

    def answer(text: str) -> str:
        if int(text.rsplit(maxsplit=1)[-1]) in numbers:
            raise ModelError(kind, "no", hint="this is why", **told)
        return text

    return FakeModel(answer)


@pytest.mark.parametrize("kind", FATAL_KINDS)
@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_refusal_in_mid_run_is_that_samples(
    kind: FailureKind, concurrency: int, tmp_path: Path
) -> None:
    """s04-one-flagged-prompt-403: 401, 403 and 404 after the model has answered."""
    model = refusing(20, kind=kind)

    outcome = await run_in(
        tmp_path, datasets={"d": FakeDataset(30)}, models={"m": model}, concurrency=concurrency
    )

    (result,) = outcome.summary.results
    assert outcome.errors == ()
    assert (result.n_samples, result.n_failed) == (30, 1)
    assert outcomes_of(tmp_path, result)["20"] == "failed"


async def test_what_a_moderation_refuses_is_filtered(tmp_path: Path) -> None:
    """s04-one-flagged-prompt-403."""
    outcome = await run_in(
        tmp_path, datasets={"d": FakeDataset(6)}, models={"m": refusing(0, kind="filtered")}
    )

    (result,) = outcome.summary.results
    assert (result.n_samples, result.n_failed) == (6, 1)
    assert result.outcomes == {"answered": 5, "filtered": 1}
    assert outcomes_of(tmp_path, result)["0"] == "filtered"


@pytest.mark.parametrize("kind", FATAL_KINDS)
@pytest.mark.parametrize("concurrency", [1, 8])
async def test_a_doubtful_refusal_of_the_very_first_sample_ends_no_model(
    kind: FailureKind, concurrency: int, tmp_path: Path
) -> None:
    model = refusing(0, kind=kind, is_doubtful=True)

    outcome = await run_in(
        tmp_path, datasets={"d": FakeDataset(30)}, models={"m": model}, concurrency=concurrency
    )

    (result,) = outcome.summary.results
    assert (result.n_samples, result.n_failed) == (30, 1)


@pytest.mark.parametrize("kind", FATAL_KINDS)
async def test_doubtful_refusals_of_everything_end_the_model_soon_with_the_reason(
    kind: FailureKind, tmp_path: Path
) -> None:
    model = refusing(*range(100), kind=kind, is_doubtful=True)

    outcome = await run_in(
        tmp_path, datasets={"d": FakeDataset(100)}, models={"m": model}, concurrency=8
    )

    assert outcome.summary.results == ()
    assert [(error.what, error.hint) for error in outcome.errors] == [("no", "this is why")]
    assert len(model.requests) <= 2 * 8


@pytest.mark.parametrize("kind", FATAL_KINDS)
async def test_a_key_that_is_refused_from_some_time_on_ends_the_model(
    kind: FailureKind, tmp_path: Path
) -> None:
    model = refusing(*range(10, 200), kind=kind)

    outcome = await run_in(
        tmp_path,
        datasets={"a": FakeDataset(200, name="a"), "b": FakeDataset(name="b")},
        models={"m": model},
        concurrency=1,
        give_up_after=5,
    )

    assert outcome.summary.n_unfinished >= 1
    assert outcome.errors[0].what == "5 samples in a row failed: no"
    assert outcome.errors[0].hint == "this is why"
    assert len(model.requests) < 30


async def test_a_sample_that_is_refused_again_by_the_next_run_is_that_samples(
    tmp_path: Path,
) -> None:
    """s04-one-flagged-prompt-403: each rerun asks only what failed, and gets no other answer."""
    datasets = {"d": FakeDataset(6)}
    for _ in range(2):
        model = refusing(2, kind="auth", is_doubtful=True)
        outcome = await run_in(tmp_path, datasets=datasets, models={"m": model})

        assert outcome.errors == ()
        assert outcome.summary.results[0].n_failed == 1
    assert len(model.requests) == 1


@virtual_time
async def test_a_doubtful_refusal_waits_for_what_is_under_way() -> None:
    availability = ObservedAvailability()
    doubt = ModelError("auth", "no", is_doubtful=True)
    for _ in range(3):
        availability.began()
    availability.ended()

    verdict = asyncio.create_task(availability.is_ended_by(doubt))
    await asyncio.sleep(30)
    assert not verdict.done()
    availability.ended()
    await asyncio.sleep(30)
    assert not verdict.done()
    availability.ended(answered=True)

    assert await verdict is False


@virtual_time
async def test_the_third_doubt_without_an_answer_ends_the_model() -> None:
    availability = ObservedAvailability()
    doubt = ModelError("not_found", "no", is_doubtful=True)

    verdicts = [await availability.is_ended_by(doubt) for _ in range(3)]

    assert verdicts == [False, False, True]
