"""The tracker as the core sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from llmeval_jsonl_tracker.plugin import JsonlSettings, llmeval_register_trackers
from llmeval_jsonl_tracker.tracker import JsonlTracker

from llmeval_core.hooks import (
    Aggregate,
    MetricResult,
    Receipt,
    RunInfo,
    TaskResult,
    Tracker,
    TrackerError,
)


@pytest.fixture
def result() -> TaskResult:
    metric = MetricResult(
        key="aio_0shot_em",
        metric="em",
        definition="em@1",
        higher_is_better=True,
        category=None,
        aggregate=Aggregate(value=0.5),
    )
    return TaskResult(
        id="result-1",
        model="openai/モデル",
        task="aio_0shot",
        dataset="aio",
        dataset_fingerprint="f",
        n_shots=0,
        task_fingerprint="t",
        plan_fingerprint="p",
        metrics=(metric,),
        n_samples=1,
        n_failed=0,
        n_prompt_tokens=None,
        n_completion_tokens=None,
        started_at=0.0,
        finished_at=1.0,
        settings={},
        llmeval_version="0.1.0",
    )


def told(home: Path) -> RunInfo:
    return RunInfo("jsonl", home, lambda _: {}, lambda _: ())


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


async def test_a_result_is_one_line_that_reads_back_as_it_was(
    tmp_path: Path, result: TaskResult
) -> None:
    tracker = JsonlTracker(None)
    await tracker.open(told(tmp_path))

    receipt = await tracker.deliver(result)
    again = await tracker.deliver(result)
    await tracker.close()

    (line,) = lines_of(tmp_path / "results.jsonl")
    fields = json.loads(line)
    assert receipt == again == Receipt(f"{tmp_path}/results.jsonl")
    assert fields.pop("delivered_at").endswith("+00:00")
    assert TaskResult.model_validate(fields) == result


async def test_a_line_is_plain_json_even_if_a_score_is_not_finite(
    tmp_path: Path, result: TaskResult
) -> None:
    odd = result.metrics[0].model_copy(update={"aggregate": Aggregate(value=float("nan"))})
    tracker = JsonlTracker(tmp_path / "mine.jsonl")
    await tracker.open(told(tmp_path / "unused"))

    await tracker.deliver(result.model_copy(update={"metrics": (odd,)}))

    (line,) = lines_of(tmp_path / "mine.jsonl")
    assert "NaN" not in line


async def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, result: TaskResult) -> None:
    tracker = JsonlTracker(tmp_path)
    await tracker.open(told(tmp_path))

    with pytest.raises(TrackerError) as caught:
        await tracker.deliver(result)

    assert str(caught.value) == (
        f"cannot append to {tmp_path}: Is a directory\n"
        "  try:   make it writable, or set the tracker's path to another file"
    )
    assert not caught.value.permanent


def test_jsonl_is_offered_as_a_tracker_with_a_path() -> None:
    (entry,) = llmeval_register_trackers()

    assert (entry.name, entry.argument) == ("jsonl", "path")
    assert isinstance(entry.factory(JsonlSettings()), Tracker)


def test_the_plugin_imports_little() -> None:
    code = (
        "import sys, llmeval_core.hooks; before = set(sys.modules);"
        "import llmeval_jsonl_tracker.plugin;"
        "print(sorted(set(sys.modules) - before))"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "['llmeval_jsonl_tracker', 'llmeval_jsonl_tracker.plugin']\n"


def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for path in (tmp_path, tmp_path / "file" / "results.jsonl"):
        with pytest.raises(TrackerError, match=f"cannot append to {path}: "):
            JsonlTracker(path).check(tmp_path)
    assert JsonlTracker(tmp_path / "new" / "results.jsonl").check(tmp_path).notes == ()
    assert JsonlTracker(None).check(tmp_path).notes == ()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
