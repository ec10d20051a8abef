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


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('{"input": "1 + 1?", "output": "2"}\n', "it has something else than results in it"),
        ('{"id": "1", "input": "1 + 1?"}\n', "it has something else than results in it"),
        ("question,answer\n1 + 1?,2\n", "it has something else than results in it"),
        ("[1, 2]", "it has something else than results in it"),
        (b"\x89PNG\r\n", "it has something else than results in it"),
        (None, "it is not a regular file"),
    ],
)
async def test_a_file_of_somebody_else_is_not_appended_to(
    tmp_path: Path, content: str | bytes | None, what: str
) -> None:
    path = Path("/dev/zero") if content is None else tmp_path / "faq.jsonl"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    before = path.read_bytes() if path.is_file() else None
    tracker = JsonlTracker(path)

    with pytest.raises(TrackerError) as checked:
        tracker.check(tmp_path)
    with pytest.raises(TrackerError) as opened:
        await tracker.open(told(tmp_path))

    assert checked.value.what == opened.value.what == f"cannot append to {path}: {what}"
    assert before == (path.read_bytes() if path.is_file() else None)


@pytest.mark.parametrize("left", ["", "\n", '{"i', '{"id":"result-0","model":"m"', "whole"])
async def test_what_a_crash_left_of_a_first_line_is_ours(
    tmp_path: Path, result: TaskResult, left: str
) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(result.model_dump_json() + "\n" if left == "whole" else left, encoding="utf-8")
    tracker = JsonlTracker(path)

    tracker.check(tmp_path)
    await tracker.open(told(tmp_path))
    await tracker.deliver(result)

    assert json.loads(lines_of(path)[-1])["id"] == "result-1"
