"""Samples behind a key: those of the result whose number the leaderboard shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from llmeval_core.api import SampleCriteria, find_samples, make_leaderboard
from llmeval_core.engine import run_plan
from llmeval_core.journal import Journal
from llmeval_core.records import Sample
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel
from llmeval_core.testing.running import plan_of

SAMPLES = [Sample(f"s{n}", f"question {n}", (), category=f"c{n % 2}") for n in range(6)]


async def run(home: Path, metrics: Iterable[str], limit: int | None = None) -> None:
    plan = plan_of(
        models={"fake": FakeModel()},
        datasets={"fake": FakeDataset(SAMPLES)},
        metrics={name: FakeMetric(f"{name}@1") for name in metrics},
        limit=limit,
    )
    with Journal(home) as journal:
        await run_plan(plan, journal)


@pytest.mark.parametrize(
    "runs",
    [
        [(["a", "b"], None), (["a"], None)],
        [(["a"], None), (["b"], 2)],
        [(["a", "b"], None), (["a", "b"], 2), (["b"], None)],
        [(["a"], 3), (["a", "b"], 2)],
    ],
)
async def test_every_key_of_the_leaderboard_has_the_samples_that_it_counts(
    tmp_path: Path, runs: list[tuple[list[str], int | None]]
) -> None:
    for metrics, limit in runs:
        await run(tmp_path, metrics, limit)

    with Journal(tmp_path) as journal, journal.reader() as reader:
        board = make_leaderboard(reader.results(), categories=True)
        for (model, key), cell in board.cells.items():
            by_key = find_samples(reader, SampleCriteria(key))
            by_name = find_samples(
                reader,
                SampleCriteria("fake_0shot", model, metric=cell.metric, category=cell.category),
            )
            assert by_key == by_name
            samples = [
                one
                for one in reader.sample_results(by_key.task.id)
                if cell.category in (None, one.sample.category)
            ]
            assert [cell.metric] == list(by_key.metrics)
            assert len(samples) == cell.aggregate.n_scored
            assert all(cell.metric in one.scores for one in samples)
