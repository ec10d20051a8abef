"""Samples behind a key: those of the result whose number the leaderboard shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from llmeval_core.api import SampleCriteria, find_samples, make_leaderboard, outcome_notes
from llmeval_core.engine import run_plan
from llmeval_core.errors import UnknownNameError
from llmeval_core.journal import Journal
from llmeval_core.records import Sample
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel
from llmeval_core.testing.running import plan_of
from tests.core.engine.test_items import Subjects

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


@pytest.mark.parametrize("key", ["subjects_0shot", "subjects_0shot_length"])
async def test_the_samples_of_a_group_are_those_of_its_tasks(tmp_path: Path, key: str) -> None:
    plan = plan_of(ready_tasks={"s": Subjects()}, limit=1)

    with Journal(tmp_path) as journal:
        await run_plan(plan, journal)
        with journal.reader() as reader, pytest.raises(UnknownNameError) as caught:
            find_samples(reader, SampleCriteria(key))

    assert str(caught.value) == (
        f"'{key}' is of a group, whose samples are those of its tasks\n"
        "  try:   name one of them: subject1_0shot, subject10_0shot, subject100_0shot"
    )


async def test_a_group_repeats_no_warning_of_its_tasks(tmp_path: Path) -> None:
    plan = plan_of(
        ready_tasks={"s": Subjects()}, limit=1, models={"fake": FakeModel(lambda asked: "")}
    )

    with Journal(tmp_path) as journal:
        outcome = await run_plan(plan, journal)

    notes = outcome_notes(outcome.summary.results)
    assert [note.split(":")[0] for note in notes] == [
        "subject1_0shot",
        "subject10_0shot",
        "subject100_0shot",
    ]
