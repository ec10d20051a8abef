"""What is told of a run: a preview before it, its events while it goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from llmeval_core.engine import TaskPreview, preview, run_plan
from llmeval_core.engine.estimates import Estimate
from llmeval_core.journal import Journal
from llmeval_core.naming import Json
from llmeval_core.records import Generation, Request, RunSummary, TaskResult
from llmeval_core.testing import (
    FakeDataset,
    FakeModel,
    make_sample,
    run_in,
)
from llmeval_core.testing.running import plan_of
from llmeval_core.tokens import PER_MESSAGE


async def test_a_preview_counts_what_would_be_sent(tmp_path: Path) -> None:
    samples = [make_sample(id=str(n), input=f"q{min(n, 7)}", metadata={"f": n}) for n in range(10)]
    datasets = {"fake": FakeDataset(samples)}
    await run_in(tmp_path, datasets=datasets, limit=4)
    template = "{{ input if metadata.f != 9 else nothing }}"
    tasks = [{"dataset": "fake", "prompt": {"template": template}}]

    with Journal(tmp_path) as journal:
        (before,) = preview(plan_of(datasets=datasets, tasks=tasks), None)
        (after,) = preview(plan_of(datasets=datasets, tasks=tasks), journal)

    by_rule = Estimate(
        8 * (PER_MESSAGE + 1), 8 * 256, None, None, "the rule of four characters a token"
    )
    assert before == TaskPreview("fake/model", "fake_0shot", 10, 0, 8, 1, by_rule, before.warnings)
    assert before.warnings == ("every one of 10 samples has the same reference: 'Paris'",)
    counts = (after.n_samples, after.n_answered, after.n_requests, after.n_unusable)
    assert counts == (10, 4, 4, 1)
    assert after.estimate.basis == "4 answers to this task"


async def test_an_estimate_prices_what_is_left_by_what_earlier_answers_used(
    tmp_path: Path,
) -> None:
    class Wordy(FakeModel):
        async def generate(self, request: Request) -> Generation:
            return Generation(("x",), n_prompt_tokens=30, n_completion_tokens=10, latency_s=2.0)

    datasets = {"fake": FakeDataset(100)}
    prices = {"fake/*": {"input": 1_000_000, "output": 2_000_000}}
    await run_in(tmp_path, datasets=datasets, models={"fake": Wordy()}, limit=20)

    with Journal(tmp_path) as journal:
        (found,) = preview(plan_of(datasets=datasets, prices=prices, concurrency=8), journal)

    assert found.estimate == Estimate(
        n_prompt_tokens=80 * 30,
        n_completion_tokens=80 * 10,
        cost=80 * (30 + 2 * 10),
        duration_s=80 * 2.0 / 8,
        basis="20 answers to this task",
    )


@pytest.mark.parametrize(
    ("concurrency", "duration_s"),
    [(None, 40 * 0.5), (100, 40 * 0.5), (1, 40 * 2.0), (2, 40 * 1.0)],
)
async def test_a_time_is_that_of_earlier_answers_with_as_many_at_once_as_then(
    tmp_path: Path, concurrency: int | None, duration_s: float
) -> None:
    """20 answers of 2 seconds, four at once, with a pause of an hour in the middle."""
    ends = [3600.0 * (index >= 12) + 2.0 * (1 + index // 4) for index in range(20)]
    datasets = {"fake": FakeDataset(60)}
    await run_in(tmp_path, datasets=datasets, limit=20)
    with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
        for row, end in enumerate(ends, 1):
            connection.execute(
                "UPDATE generations SET latency_s = 2, finished_at = ? WHERE rowid = ?", (end, row)
            )
    connection.close()

    with Journal(tmp_path) as journal:
        (found,) = preview(plan_of(datasets=datasets, concurrency=concurrency), journal)

    assert found.estimate.duration_s == pytest.approx(duration_s)


async def test_no_time_is_less_than_that_of_one_answer(tmp_path: Path) -> None:
    class Slow(FakeModel):
        async def generate(self, request: Request) -> Generation:
            return Generation(("x",), latency_s=30.0)

    datasets = {"fake": FakeDataset(21)}
    await run_in(tmp_path, datasets=datasets, models={"fake": Slow()}, limit=20)

    with Journal(tmp_path) as journal:
        (found,) = preview(plan_of(datasets=datasets), journal)

    assert found.n_requests == 1
    assert found.estimate.duration_s == 30.0


async def test_observers_are_told_of_the_plan_each_task_and_the_end(tmp_path: Path) -> None:
    told: list[str] = []

    class Watching:
        def before_run(self, plan: Mapping[str, Json]) -> None:
            told.append(f"begins {plan['fingerprint']}")

        def after_task(self, result: TaskResult) -> None:
            told.append(result.task)

        def after_run(self, summary: RunSummary) -> None:
            told.append(f"ends {summary.n_samples}")

    datasets = {"a": FakeDataset(name="a"), "b": FakeDataset(name="b")}
    plan = replace(plan_of(datasets=datasets), observer=Watching())

    with Journal(tmp_path) as journal:
        await run_plan(plan, journal)

    assert told == [f"begins {plan.fingerprint}", "a_0shot", "b_0shot", "ends 6"]
