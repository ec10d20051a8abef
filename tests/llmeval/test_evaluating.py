"""`llmeval.run`: in scripts, in running event loops, stopped, refused."""

from __future__ import annotations

import _thread
import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from llmeval.run_keywords import RunKeywords

import llmeval
from llmeval_core.config import RunConfig

if TYPE_CHECKING:
    from tests.conftest import PluginFolder

KEY = "capitals_0shot_exact"


class Told:
    """A progress that keeps what it is told, and calls back when a sample is finished."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.threads: set[str] = set()
        self.on_sample: Callable[[], object] = list
        self.on_task: Callable[[], object] = list

    def model_opening(self, model: str) -> None:
        self.said.append(f"opening {model}")
        self.threads.add(threading.current_thread().name)

    def waiting(self, model: str, task: str) -> None:
        self.said.append(f"waiting for {task}")

    def message(self, text: str) -> None:
        self.said.append(text)

    def task_started(self, model: str, task: str, n_samples: int | None) -> llmeval.TaskMeter:
        self.said.append(f"{task} of {model}: {n_samples}")
        self.on_task()
        return self

    def samples_skipped(self, n: int) -> None:
        self.said.append(f"{n} known")

    def sample_finished(self, result: llmeval.SampleResult, *, n_under_way: int) -> None:
        self.said.append(result.sample.id)
        self.on_sample()

    def task_finished(self, result: llmeval.TaskResult, *, reused: bool) -> None:
        self.said.append(f"{result.task} finished")


def test_a_run_gives_its_numbers(project: Path) -> None:
    report = llmeval.run(models="atlas/any", tasks="capitals:3", progress=False)

    (row,) = report.results
    assert (row.model, row.key) == ("atlas/any", KEY)
    assert row.value == pytest.approx(2 / 3)
    assert (report.n_samples, report.n_failed, report.n_requests) == (3, 0, 3)
    assert [result.task for result in report.task_results] == ["capitals_0shot"]
    assert (project / ".llmeval" / "journal.sqlite").exists()


def test_the_same_call_again_asks_nothing(project: Path) -> None:
    first = llmeval.run(models=["atlas/any"], tasks=["capitals:3"], progress=False)

    second = llmeval.run(models=["atlas/any"], tasks=["capitals:3"], progress=False)

    assert second.n_requests == 0
    assert second.results.records() == first.results.records()


async def test_it_works_inside_a_running_event_loop(project: Path) -> None:
    report = llmeval.run(models="atlas/any", tasks="capitals:2", progress=False)

    assert report.results.value("atlas/any", KEY) == 1.0


async def test_run_async_lets_the_callers_loop_go_on(project: Path) -> None:
    n_turns = 0

    async def turn() -> None:
        nonlocal n_turns
        while True:
            n_turns += 1
            await asyncio.sleep(0.01)

    turning = asyncio.create_task(turn())
    report = await llmeval.run_async(models="slow/0.1", tasks="capitals:2", progress=False)
    turning.cancel()

    assert report.n_samples == 2
    assert n_turns > 5


async def test_who_cancels_run_async_stops_the_run_and_keeps_what_is_finished(
    project: Path,
) -> None:
    told = Told()
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(
        llmeval.run_async(models="slow/0.1", tasks="capitals", concurrency=1, progress=told)
    )
    told.on_sample = lambda: loop.call_soon_threadsafe(running.cancel)

    with pytest.raises(asyncio.CancelledError):
        await running

    assert "stopping: requests under way may finish; stop again to end at once" in told.said
    again = llmeval.run(models="slow/0.1", tasks="capitals", progress=False)
    assert 0 < again.n_requests < 4


async def test_who_cancels_run_async_twice_does_not_wait_for_what_is_under_way(
    project: Path,
) -> None:
    told = Told()
    loop = asyncio.get_running_loop()
    began = asyncio.Event()
    running = asyncio.create_task(
        llmeval.run_async(models="slow/600", tasks="capitals", progress=told)
    )
    told.on_task = lambda: loop.call_soon_threadsafe(began.set)
    await began.wait()

    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    for thread in threading.enumerate():
        if thread.name == "llmeval-run":
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()


def test_ctrl_c_ends_it_cleanly_and_the_same_call_goes_on(project: Path) -> None:
    told = Told()
    told.on_sample = _thread.interrupt_main

    with pytest.raises(KeyboardInterrupt):
        llmeval.run(models="slow/0.1", tasks="capitals", concurrency=1, progress=told)

    again = llmeval.run(models="slow/0.1", tasks="capitals", progress=False)
    assert 0 < again.n_requests < 4
    assert again.n_samples == 4


def test_ctrl_c_twice_ends_it_at_once(project: Path) -> None:
    class Impatient(Told):
        def message(self, text: str) -> None:
            super().message(text)
            _thread.interrupt_main()

    told = Impatient()
    told.on_task = _thread.interrupt_main

    with pytest.raises(KeyboardInterrupt):
        llmeval.run(models="slow/600", tasks="capitals", progress=told)

    assert told.said[-1] == "stopping: requests under way may finish; stop again to end at once"
    assert "llmeval-run" not in {thread.name for thread in threading.enumerate()}


def test_a_run_file_is_read_and_keywords_take_the_place_of_its_keys(project: Path) -> None:
    (project / "eval.yaml").write_text(
        "models: [atlas/any, parrot/any]\n"
        "tasks: [{dataset: capitals, metrics: [{use: exact, name: strict}]}]\n"
        "limit: 3\n",
        encoding="utf-8",
    )

    whole = llmeval.run("eval.yaml", progress=False)
    other = llmeval.run(
        project / "eval.yaml", models="atlas/any", metrics="exact", limit=2, progress=False
    )

    assert {row.key for row in whole.results} == {"capitals_0shot_strict"}
    assert [(row.model, row.key, row.n_samples) for row in other.results] == [("atlas/any", KEY, 2)]


def test_tasks_that_are_given_keep_their_own_metrics(project: Path) -> None:
    (project / "eval.yaml").write_text("models: [atlas/any]\ntasks: [{dataset: capitals}]\n")
    task = {"dataset": "capitals:2", "metrics": [{"use": "exact", "name": "mine"}]}

    report = llmeval.run("eval.yaml", tasks=[task], metrics="exact", progress=False)

    assert [row.metric for row in report.results] == ["mine"]


def test_what_was_answered_is_asked_again_where_that_is_wanted(project: Path) -> None:
    llmeval.run(models="atlas/any", tasks="capitals:3", progress=False)

    again = llmeval.run(models="atlas/any", tasks="capitals:3", again="id:c1", progress=False)

    assert again.n_requests == 1


def test_the_folder_is_named_or_that_of_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMEVAL_HOME", str(project / "here"))

    llmeval.run(models="atlas/any", tasks="capitals:1", progress=False)
    llmeval.run(models="atlas/any", tasks="capitals:2", home=project / "there", progress=False)

    assert [row.n_samples for row in llmeval.results()] == [1]
    assert [row.n_samples for row in llmeval.results(home="there")] == [2]


def test_failed_samples_are_counted_and_noted_and_do_not_raise(project: Path) -> None:
    report = llmeval.run(models="atlas/any", tasks="capitals", progress=False)

    assert report.n_failed == 1
    assert report.results[0].n_failed == 1
    assert "1 sample failed; run again to try them again" in report.notes


def test_what_a_tracker_has_can_be_found(project: Path) -> None:
    report = llmeval.run(
        models="atlas/any", tasks="capitals:1", trackers="notebook:book.jsonl", progress=False
    )

    assert report.locations == {"notebook": str(Path(".llmeval/book.jsonl"))}


def test_who_is_told_of_the_progress_is_told_everything_from_another_thread(
    project: Path,
) -> None:
    told = Told()

    llmeval.run(models="atlas/any", tasks="capitals:1", progress=told)

    assert told.said == [
        "capitals_0shot of atlas/any: 1",
        "opening atlas/any",
        "c0",
        "capitals_0shot finished",
    ]
    assert told.threads == {"llmeval-run"}


def test_without_progress_nothing_is_printed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    llmeval.run(models="atlas/any", tasks="capitals:1", progress=False)

    assert capsys.readouterr() == ("", "")


def test_progress_stands_on_standard_error(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    llmeval.run(models="atlas/any", tasks="capitals:1")

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[:2] == ["atlas/any capitals_0shot: 1 sample", "atlas/any: opening"]


def test_nothing_to_run_is_an_error_that_says_what_to_give(project: Path) -> None:
    with pytest.raises(llmeval.ConfigError) as refused:
        llmeval.run(models="atlas/any")

    assert str(refused.value) == (
        "nothing to run: no tasks\n"
        "  where: llmeval.run\n"
        "  try:   give models=[...] and tasks=[...], or name a run file"
    )


def test_a_misspelt_keyword_is_an_error_that_says_what_is_meant(project: Path) -> None:
    with pytest.raises(llmeval.ConfigError) as refused:
        llmeval.run(models="atlas/any", tasks="capitals", limt=5)  # type: ignore[call-arg]  # on purpose

    assert str(refused.value) == (
        "unknown key 'limt'\n  where: limt\n  try:   did you mean 'limit'?"
    )


def test_a_wrong_value_names_its_place(project: Path) -> None:
    with pytest.raises(llmeval.LlmevalError) as refused:
        llmeval.run(models="atlas/any", tasks=[{"dataset": "capitals", "metrics": ["exat"]}])

    assert refused.value.where == "tasks[0].metrics[0]"
    assert refused.value.hint is not None
    assert "did you mean 'exact'?" in refused.value.hint


def test_a_task_that_cannot_be_evaluated_raises_with_the_report_of_the_others(
    project: Path, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("closed", CLOSED)

    with pytest.raises(llmeval.RunError) as ended:
        llmeval.run(models=["closed/any", "atlas/any"], tasks="capitals:2", progress=False)

    assert ended.value.what == "the key is wrong"
    assert ended.value.hint == "set KEY"
    assert [row.model for row in ended.value.report.results] == ["atlas/any"]
    assert ended.value.report.n_unfinished == 1


def test_a_plugin_that_ends_the_process_does_not(
    project: Path, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("leaving", LEAVING)

    with pytest.raises(llmeval.LlmevalError, match="SystemExit"):
        llmeval.run(models="atlas/any", tasks="leaving", metrics="exact", progress=False)


def test_the_keywords_are_the_keys_of_a_run_file() -> None:
    own = {"models", "tasks", "metrics", "trackers"}

    assert set(RunConfig.model_fields) == own | set(RunKeywords.__annotations__)


CLOSED = """
from llmeval_core.hooks import Component, ModelError, ModelInfo, Settings, hookimpl
class Closed:
    def describe(self, model): return ModelInfo("closed", frozenset({"chat"}))
    async def open(self, model): raise ModelError("auth", "the key is wrong", hint="set KEY")
@hookimpl
def llmeval_register_models():
    yield Component("closed", Settings, lambda settings: Closed(), "lets nobody in")
"""
LEAVING = """
import sys
from llmeval_core.hooks import Component, Settings, TaskDefaults, hookimpl
class Leaving:
    name, defaults = "leaving", TaskDefaults(answer_by="generation")
    def samples(self): sys.exit(3)
    def few_shot_pool(self): return iter(())
    def size(self): return None
    def fingerprint(self): return "leaving"
@hookimpl
def llmeval_register_datasets():
    yield Component("leaving", Settings, lambda settings: Leaving(), "ends the process")
"""
