"""Asking again what the journal has: which answers, how often, and what becomes of the old ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.api import SampleCriteria, find_samples
from llmeval_core.engine import (
    ReaskFilter,
    RunOutcome,
    SilentProgress,
    read_reask_filters,
    run_plan,
)
from llmeval_core.errors import ConfigError, ModelError
from llmeval_core.journal import Journal
from llmeval_core.records import Generation, Request, Sample, TaskResult
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel
from llmeval_core.testing.running import plan_of

SAMPLES = [Sample(f"s{n}", f"question {n}", ("right",)) for n in range(6)]


class Telling(SilentProgress):
    """Keeps its notices."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def message(self, text: str) -> None:
        self.told.append(text)


class Changing(FakeModel):
    """Answers by the question; `answers` can be changed between runs."""

    def __init__(self, answer: Callable[[str], Generation | ModelError]) -> None:
        super().__init__()
        self.answers = answer

    async def generate(self, request: Request) -> Generation:
        self.requests.append(request)
        answer = self.answers(request.messages[-1].text)
        if isinstance(answer, ModelError):
            raise answer
        return answer


def first(question: str) -> Generation:
    """Answer as an earlier version journalled it: even ones are empty, 1 is cut off."""
    number = int(question.split()[1])
    if number == 1:
        return Generation(("wro",), finish_reason="length")
    return Generation(("" if number % 2 == 0 else "right",), finish_reason="stop")


def right(question: str) -> Generation:
    return Generation(("right",), stop_reasons=("stop",))


async def run(
    home: Path, model: Changing, *filters: str, anew: bool = False, **config: Any
) -> tuple[RunOutcome, int, list[str]]:
    """Run; say how it ended, how many requests the model got, and what was told."""
    before = len(model.requests)
    progress = Telling()
    plan = plan_of(
        models={"fake": model},
        datasets={"fake": FakeDataset(SAMPLES)},
        metrics=config.pop("metrics", None),
        **{"retry": {"max_attempts": 1}, "concurrency": 1, **config},
    )
    with Journal(home) as journal:
        outcome = await run_plan(
            plan, journal, progress=progress, reask=read_reask_filters(filters, anew=anew)
        )
    return outcome, len(model.requests) - before, progress.told


def value(outcome: RunOutcome) -> float | None:
    result: TaskResult = outcome.summary.results[0]
    return result.metrics[0].aggregate.value


def texts(home: Path) -> list[str]:
    with Journal(home) as journal, journal.reader() as reader:
        found = find_samples(reader, SampleCriteria("fake_0shot"))
        return [
            one.generation.text if one.generation else "(failed)"
            for one in reader.sample_results(found.task.id)
        ]


@pytest.mark.parametrize(
    ("filters", "n_asked"),
    [
        (["empty"], 3),
        (["truncated"], 1),
        (["empty", "truncated"], 4),
        (["answered"], 2),
        (["refused"], 0),
        (["id:s3"], 1),
        (["id:s3", "id:s1"], 2),
        (["id:s"], 0),
        (["task:fake_0shot"], 6),
        (["task:other_0shot"], 0),
        (["all"], 6),
    ],
)
async def test_what_a_filter_means_is_asked_again_and_nothing_else(
    tmp_path: Path, filters: list[str], n_asked: int
) -> None:
    model = Changing(first)
    await run(tmp_path, model)
    model.answers = right

    _, n_requests, _ = await run(tmp_path, model, *filters)

    assert n_requests == n_asked


async def test_a_new_answer_takes_the_place_of_the_old_and_is_scored(tmp_path: Path) -> None:
    model = Changing(first)
    before, _, _ = await run(tmp_path, model)
    model.answers = right

    after, _, told = await run(tmp_path, model, "empty", "truncated")

    assert (value(before), value(after)) == (2 / 6, 1.0)
    assert texts(tmp_path) == ["right"] * 6
    assert after.summary.results[0].outcomes == {"answered": 6}
    assert told == ["fake/model fake_0shot: 4 answers were asked again and replaced"]


async def test_the_same_command_twice_asks_nothing_more_though_answers_still_fit(
    tmp_path: Path,
) -> None:
    model = Changing(first)
    await run(tmp_path, model)

    once = await run(tmp_path, model, "empty")
    twice = await run(tmp_path, model, "empty")
    anew = await run(tmp_path, model, "empty", anew=True)

    assert (once[1], twice[1], anew[1]) == (3, 0, 3)
    assert "nothing left to ask again since" in twice[2][0]
    assert twice[2][0].endswith("; --anew asks once more")
    assert twice[0].summary.results[0].id == once[0].summary.results[0].id


async def test_all_is_asked_once_too(tmp_path: Path) -> None:
    model = Changing(first)
    await run(tmp_path, model)

    once = await run(tmp_path, model, "all")
    twice = await run(tmp_path, model, "all")

    assert (once[1], twice[1]) == (6, 0)


async def test_another_filter_is_another_round(tmp_path: Path) -> None:
    model = Changing(first)
    await run(tmp_path, model)
    await run(tmp_path, model, "empty")

    _, n_requests, _ = await run(tmp_path, model, "all")

    assert n_requests == 6


async def test_the_old_answer_stays_where_the_model_gives_no_new_one(tmp_path: Path) -> None:
    model = Changing(first)
    await run(tmp_path, model)

    def failing(question: str) -> Generation | ModelError:
        return right(question) if question == "question 0" else ModelError("bad_request", "no")

    model.answers = failing
    after, n_requests, told = await run(tmp_path, model, "all")
    model.answers = right
    later, n_later, _ = await run(tmp_path, model, "all")

    assert (n_requests, after.summary.n_failed) == (6, 0)
    assert value(after) == 3 / 6
    assert told == [
        "fake/model fake_0shot: 1 answers were asked again and replaced; 5 were asked in vain,"
        " and the old ones stay; the same command tries these again"
    ]
    assert (n_later, value(later)) == (5, 1.0)


async def test_a_server_that_is_down_ends_the_run_and_loses_nothing(tmp_path: Path) -> None:
    model = Changing(first)
    await run(tmp_path, model)
    model.answers = lambda question: ModelError("overloaded", "down")

    outcome, n_requests, _ = await run(tmp_path, model, "all", give_up_after=2)

    assert (n_requests, len(outcome.errors)) == (2, 1)
    assert texts(tmp_path)[3] == "right"


async def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    model = Changing(first)
    await run(tmp_path, model)
    asked: list[str] = []

    def half(question: str) -> Generation | ModelError:
        asked.append(question)
        return right(question) if len(asked) <= 3 else ModelError("auth", "no longer")

    model.answers = half
    await run(tmp_path, model, "all")
    model.answers = right
    outcome, n_requests, _ = await run(tmp_path, model, "all")

    assert (n_requests, value(outcome)) == (3, 1.0)


async def test_a_run_without_the_flag_takes_in_what_was_asked_again(tmp_path: Path) -> None:
    model = Changing(first)
    await run(tmp_path, model)
    model.answers = lambda question: (
        right(question) if question == "question 0" else ModelError("auth", "no longer")
    )
    await run(tmp_path, model, "all")

    outcome, n_requests, _ = await run(tmp_path, model)
    once_more, _, _ = await run(tmp_path, model)

    assert (n_requests, value(outcome)) == (0, 3 / 6)
    assert once_more.summary.results[0].id == outcome.summary.results[0].id


async def test_other_metrics_score_the_new_answers(tmp_path: Path) -> None:
    model = Changing(first)
    metrics = {"fake": FakeMetric(), "other": FakeMetric("other@1")}
    await run(tmp_path, model)
    both, _, _ = await run(tmp_path, model, metrics=metrics)
    model.answers = right
    await run(tmp_path, model, "all")

    outcome, n_requests, _ = await run(tmp_path, model, metrics=metrics)

    assert (value(both), value(outcome), n_requests) == (2 / 6, 1.0, 0)


async def test_failed_samples_are_asked_with_every_run_and_need_no_flag(tmp_path: Path) -> None:
    model = Changing(lambda question: right(question) if "0" in question else _refusing())
    await run(tmp_path, model)
    model.answers = right

    _, n_requests, _ = await run(tmp_path, model, "empty")

    assert n_requests == 5


def _refusing() -> ModelError:
    return ModelError("bad_request", "no")


@pytest.mark.parametrize(
    ("filters", "anew", "message"),
    [
        (
            ["emty"],
            False,
            "'emty' does not say what to ask again\n  where: --again emty\n"
            "  try:   did you mean 'empty'?",
        ),
        (
            ["id:"],
            False,
            "'id:' does not say what to ask again\n  where: --again id:\n"
            "  try:   give answered, truncated, empty, refused, filtered, unscored, failed,"
            " id:SAMPLE, task:KEY or all",
        ),
        (
            [],
            True,
            "--anew needs to know what to ask\n  where: --anew\n"
            "  try:   add --again: answered, truncated, empty, refused, filtered, unscored, failed,"
            " id:SAMPLE, task:KEY or all",
        ),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    filters: list[str], anew: bool, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_reask_filters(filters, anew=anew)

    assert str(caught.value) == message


def test_the_order_of_filters_does_not_make_a_round() -> None:
    one = read_reask_filters(["id:b", "empty", "id:a"], anew=False)
    other = read_reask_filters(["id:a", "id:b", "empty"], anew=False)

    assert isinstance(one, ReaskFilter)
    assert isinstance(other, ReaskFilter)
    assert one.text == other.text == "empty id:a id:b"


async def run_two(home: Path, model: Changing, *filters: str) -> tuple[RunOutcome, int]:
    """Run two tasks whose data sets have other contents and share a question."""
    before = len(model.requests)
    plan = plan_of(
        models={"fake": model},
        datasets={"fake": FakeDataset(SAMPLES), "part": FakeDataset(SAMPLES[2:4], name="part")},
        retry={"max_attempts": 1},
        concurrency=1,
    )
    with Journal(home) as journal:
        outcome = await run_plan(plan, journal, reask=read_reask_filters(filters, anew=False))
    return outcome, len(model.requests) - before


@pytest.mark.parametrize("filters", [["all"], ["empty"], ["task:fake_0shot"], ["task:part_0shot"]])
async def test_a_new_answer_changes_every_number_that_is_made_of_it(
    tmp_path: Path, filters: list[str]
) -> None:
    model = Changing(first)
    await run_two(tmp_path, model)
    model.answers = right
    _, n_again = await run_two(tmp_path, model, *filters)

    after, n_later = await run_two(tmp_path, model)

    with Journal(tmp_path) as journal, journal.reader() as reader:
        for result in after.summary.results:
            task = reader.task(result.task_fingerprint)
            assert task is not None
            scored = [one.scores["fake"].value or 0 for one in reader.sample_results(task.id)]
            kept = [one.generation.text for one in reader.sample_results(task.id) if one.generation]
            assert len(scored) == result.n_samples
            assert [float(text == "right") for text in kept] == scored
            assert result.metrics[0].aggregate.value == sum(scored) / len(scored)
    assert n_later == 0
    assert n_again == {"all": 6, "empty": 3, "task:fake_0shot": 6, "task:part_0shot": 2}[filters[0]]


async def test_a_new_answer_is_scored_for_every_sample_that_asks_the_same(tmp_path: Path) -> None:
    twins = [Sample(f"s{n}", "question 0", ("right",)) for n in range(3)]
    model = Changing(first)

    async def run_twins(*filters: str) -> TaskResult:
        plan = plan_of(models={"fake": model}, datasets={"fake": FakeDataset(twins)})
        with Journal(tmp_path) as journal:
            outcome = await run_plan(plan, journal, reask=read_reask_filters(filters, anew=False))
        return outcome.summary.results[0]

    await run_twins()
    model.answers = right
    result = await run_twins("id:s2")

    assert (result.n_samples, result.metrics[0].aggregate.value) == (3, 1.0)
    assert len(model.requests) == 2
