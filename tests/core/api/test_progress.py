"""What is shown while a run goes on."""

from __future__ import annotations

import io
import time
from dataclasses import replace

from rich.console import Console

from llmeval_core.api.progress_bars import LiveProgress, PlainProgress, TaskCounts
from llmeval_core.records import Failure, Generation, Sample, SampleResult, Turn
from llmeval_core.testing import make_request


def make_result(*, failed: bool = False) -> SampleResult:
    return SampleResult(
        index=0,
        sample=Sample("s", "question"),
        request=None,
        generation=None if failed else Generation(("x",), (), None, 1000, 200),
        scores={},
        failure=Failure("timeout", "too late") if failed else None,
    )


def test_pace_and_time_left_leave_out_what_was_finished_before() -> None:
    counts = TaskCounts("m/x d_0shot", total=200, started=time.monotonic() - 10)
    counts.skip(80)
    for _ in range(20):
        counts.add(make_result(), n_under_way=3)

    assert counts.so_far() == "100/200"
    assert counts.details() == "2.0/s · 0:50 left · 24,000 tokens · 3 under way"


def test_tokens_are_those_of_all_turns_of_a_sample() -> None:
    first, last = Generation(("",), (), None, 5, 3), Generation(("4",), (), None, 9, None)
    turns = tuple(Turn(role, make_request(), one) for role, one in (("model", first), ("x", last)))
    finished = replace(make_result(), generation=last, turns=turns)
    half_way = replace(make_result(failed=True), turns=turns[:1])
    counts = TaskCounts("m/x d_0shot")

    for result in (finished, half_way, replace(finished, from_journal=True)):
        counts.add(result, n_under_way=0)

    assert (counts.n_tokens, counts.n_asked) == (5 + 3 + 9 + 5 + 3, 1)


def test_failures_are_counted_apart() -> None:
    counts = TaskCounts("m/x d_0shot", started=time.monotonic() - 1)
    counts.add(make_result(failed=True), n_under_way=1)

    assert counts.so_far() == "1"
    assert counts.details() == "1.0/s · 1 failed · 1 under way"


def test_plain_lines_are_text_without_markup() -> None:
    file = io.StringIO()
    progress = PlainProgress(Console(file=file, width=100))

    progress.task_started("m/[bold]x", "d_0shot", 5)
    progress.model_opening("m/[bold]x")

    assert file.getvalue() == "m/[bold]x d_0shot: 5 samples\nm/[bold]x: opening\n"


def test_a_long_label_is_cut_at_its_beginning_so_that_counts_fit() -> None:
    file = io.StringIO()
    console = Console(file=file, width=100, force_terminal=True, color_system=None)

    with LiveProgress(console) as progress:
        meter = progress.task_started("provider/a-model-with-a-long-name", "dataset_0shot", 5)
        meter.samples_skipped(2)

    assert "…long-name dataset_0shot" in file.getvalue()
    assert "2/5 · 0.0/s · 0 under way" in file.getvalue()
    assert "provider" not in file.getvalue()


def test_two_tasks_at_once_have_a_bar_and_a_pace_each() -> None:
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=True, color_system=None)

    with LiveProgress(console) as progress:
        first = progress.task_started("m/x", "first_0shot", 5)
        second = progress.task_started("m/x", "second_0shot", 9)
        second.samples_skipped(3)
        first.samples_skipped(1)

    assert "1/5" in file.getvalue()
    assert "3/9" in file.getvalue()
