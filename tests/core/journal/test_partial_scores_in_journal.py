"""Samples that some metrics could not score, in the journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llmeval_core.api import SampleCriteria, count_samples, find_samples, sample_json, sample_page
from llmeval_core.journal import Journal, StoredTask
from llmeval_core.records import Failure, SampleResult, Score
from llmeval_core.testing import make_generation, make_request, make_sample

LATE = Failure("metric", "late")
WHOLE = SampleResult(
    0,
    make_sample(),
    make_request(),
    make_generation("x"),
    {"one": Score(0.0), "other": Score(None, "read", (1.0,), {"said": "x"})},
)
PART = replace(
    WHOLE,
    scores={"one": Score(0.0)},
    failure=Failure("metric", "other: late"),
    outcome="unscored",
    metric_failures={"other": LATE},
)
NONE = replace(
    PART, scores={}, failure=Failure("timeout", "too late"), outcome="failed", metric_failures={}
)


def begun(journal: Journal) -> StoredTask:
    return journal.begin_task("f" * 32, model="m", key="d_0shot", metrics=["one", "other"])


def read(journal: Journal, task: StoredTask) -> tuple[SampleResult, list[float | None], int]:
    with journal.reader() as reader:
        (found,) = reader.sample_results(task.id)
        values = [score.value for score in reader.scores(task, "one")]
        n_others = len(list(reader.scores(task, "other")))
    return found, values, n_others


async def test_what_is_there_of_a_sample_is_read_as_it_was_written(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        task = begun(journal)
        await journal.record(task, PART)
        await journal.flush()
        found, values, n_others = read(journal, task)

    assert found == replace(PART, from_journal=True, request=found.request)
    assert (values, n_others) == ([0.0], 0)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("attempts", "values", "n_others"),
    [
        ([PART, WHOLE], [0.0], 1),
        ([PART, NONE], [], 0),
        ([NONE, PART], [0.0], 0),
        ([PART, NONE, WHOLE], [0.0], 1),
        ([WHOLE, NONE], [], 0),
    ],
)
async def test_the_last_attempt_counts(
    tmp_path: Path,
    attempts: list[SampleResult],
    values: list[float],
    n_others: int,
    *,
    at_once: bool,
) -> None:
    with Journal(tmp_path) as journal:
        task = begun(journal)
        for attempt in attempts:
            journal.put(task, attempt)
            if not at_once:
                await journal.flush()
        await journal.flush()
        found = read(journal, task)

    assert dict(found[0].scores) == dict(attempts[-1].scores)
    assert found[1:] == (values, n_others)


async def test_a_wrong_sample_that_lacks_a_score_is_met_once(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        task = begun(journal)
        for index, one in enumerate([PART, WHOLE, NONE, PART]):
            journal.put(task, replace(one, index=index, sample=make_sample(id=str(index))))
        await journal.flush()
        with journal.reader() as reader:
            found = {
                (failed, wrong): [
                    sample.index
                    for sample in sample_page(
                        reader,
                        find_samples(reader, SampleCriteria("d_0shot", failed=failed, wrong=wrong)),
                    ).samples
                ]
                for failed in (True, False)
                for wrong in (True, False)
            }
            counts = count_samples(reader, find_samples(reader, SampleCriteria("d_0shot")))

    assert found == {
        (True, True): [0, 1, 2, 3],
        (True, False): [0, 2, 3],
        (False, True): [0, 1, 3],
        (False, False): [0, 1, 2, 3],
    }
    assert (counts.all.n, counts.failed.n, counts.wrong.n) == (4, 3, 3)


def test_json_names_the_metrics_that_could_not_score_a_sample() -> None:
    written = sample_json(PART)

    assert written["scores"] == {"one": {"value": 0.0, "parsed": None}}
    assert written["failure"] == {"kind": "metric", "message": "other: late"}
    assert written["metric_failures"] == {"other": {"kind": "metric", "message": "late"}}
