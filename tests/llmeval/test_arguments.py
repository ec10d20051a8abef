"""Arguments of the functions of `llmeval`: whatever their type, a wrong one is an LlmevalError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import llmeval

RUN: Any = llmeval.run  # Any: the arguments are wrong on purpose
SAMPLES: Any = llmeval.samples
RESULTS: Any = llmeval.results


def run(**given: Any) -> llmeval.RunReport:
    """Run as the rest of the tests do, with other arguments (Any)."""
    report: llmeval.RunReport = RUN(
        **({"models": "atlas/any", "tasks": "capitals:3", "progress": False} | given)
    )
    return report


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": 5}, "models should be a text, a mapping or a list of them, not 5"),
        ({"tasks": True}, "tasks should be a text, a mapping or a list of them, not True"),
        ({"metrics": b"exact"}, "not of the type 'bytes'"),
        ({"again": True}, "again should be a text or a list of texts, not True"),
        ({"again": [5]}, r"again\[0\] should be a text, not 5"),
        ({"home": 5}, "home should be a path, not 5"),
        ({"home": "a\0b"}, "a path has no NUL character in it"),
        ({"run_file": {"models": []}}, r"give the keys of a mapping as keywords: run\(\*\*mapping"),
        ({"progress": "no"}, "progress should be True, False or an object with the methods of"),
        ({"progress": object()}, "not of the type 'object'"),
        ({"progress": llmeval.Progress}, "progress should be True, False or an object"),
        ({"model": "atlas/any"}, "did you mean 'models'"),
        ({"limt": 3}, "did you mean 'limit'"),
        ({"limit": object()}, "input should be a valid integer"),
    ],
)
def test_a_wrong_argument_of_run_is_named(
    project: Path, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(llmeval.ConfigError, match=message):
        run(**given)


@pytest.mark.parametrize("keyword", ["model", "task", "datasets"])
def test_an_unknown_keyword_is_named_before_what_is_missing(project: Path, keyword: str) -> None:
    with pytest.raises(llmeval.ConfigError) as raised:
        RUN(**{keyword: "atlas/any"})

    assert raised.value.what == f"unknown key '{keyword}'"
    assert raised.value.hint in ("did you mean 'models'?", "did you mean 'tasks'?")


def test_a_path_is_taken_for_its_text_wherever_it_stands(project: Path) -> None:
    by_itself = run(tasks=Path("capitals:2"))
    in_a_list = run(tasks=[Path("capitals:2")])
    in_a_mapping = run(tasks={"dataset": Path("capitals:2")})

    assert [report.n_samples for report in (by_itself, in_a_list, in_a_mapping)] == [2] * 3


def test_a_progress_that_overrides_nothing_is_told_and_says_nothing(project: Path) -> None:
    class Quiet(llmeval.Progress):
        """Overrides nothing."""

    assert run(progress=Quiet()).n_samples == 3


def test_a_progress_may_give_no_meter_but_not_a_wrong_one(project: Path) -> None:
    class Mistaken(llmeval.Progress):
        meter: Any = None

        def task_started(self, model: str, task: str, n_samples: int | None) -> llmeval.TaskMeter:
            meter: llmeval.TaskMeter = self.meter
            return meter

    told = Mistaken()
    assert run(progress=told).n_samples == 3

    told.meter = "meter"
    with pytest.raises(llmeval.LlmevalError, match="has no method 'samples_skipped'"):
        run(progress=told, limit=2)


def test_a_progress_that_lacks_a_method_is_refused(project: Path) -> None:
    class Partial:
        def message(self, text: str) -> None:
            """Say nothing."""

    with pytest.raises(llmeval.ConfigError, match="progress has no method 'model_opening'"):
        run(progress=Partial())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SAMPLES("capitals_0shot", outcomes=["trunc"]), "did you mean 'truncated'"),
        (lambda: SAMPLES("capitals_0shot", outcomes=5), "outcomes should be a text or a list"),
        (lambda: SAMPLES("capitals_0shot", limit=-1), "limit should be a number from 0 on, not -1"),
        (lambda: SAMPLES("capitals_0shot", limit="all"), "limit should be a number from 0 on"),
        (lambda: SAMPLES(5), "key should be a text, not 5"),
        (lambda: SAMPLES("capitals_0shot", model=5), "model should be a text, not 5"),
        (lambda: SAMPLES("capitals_0shot", home=5), "home should be a path, not 5"),
        (lambda: RESULTS(models=5), "models should be a text or a list of texts, not 5"),
        (lambda: RESULTS(datasets=[None]), r"datasets\[0\] should be a text, not None"),
    ],
)
def test_a_wrong_argument_of_what_reads_is_named(
    project: Path, call: Callable[[], object], message: str
) -> None:
    run()

    with pytest.raises(llmeval.LlmevalError, match=message):
        call()


def test_a_limit_of_0_is_all_as_on_the_command_line(project: Path) -> None:
    run()

    assert len(llmeval.samples("capitals_0shot", limit=0)) == 3


@pytest.mark.parametrize(
    ("model", "key", "message"),
    [
        ("atlas/any", "capitals_0shot_exakt", "did you mean 'capitals_0shot_exact'?"),
        ("atlas/an", "capitals_0shot_exact", "did you mean 'atlas/any'?"),
        ("x", "capitals_0shot_exact", "there are: atlas/any"),
    ],
)
def test_a_number_that_is_not_there_names_the_one_that_is_meant(
    project: Path, model: str, key: str, message: str
) -> None:
    report = run()

    with pytest.raises(llmeval.UnknownNameError) as raised:
        report.results.value(model, key)

    assert message == raised.value.hint
