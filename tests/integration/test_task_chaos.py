"""Judges, turns, tool steps and lm-eval's requests go wrong in every way: nothing becomes a 0."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.integration.task_project import TaskProject, numbers, samples
from tests.integration.task_server import JUDGE, TaskServer

N = 48
WAYS = ("refuse", "reset", "half", "not_json", "html", "error", "bad_request")
"""How requests go wrong for good. Some are never answered in time instead, and some are refused
once because of a quota: a quota that never ends would end the model."""
_HANGING = ("judge", "turn", "tool")
_NUMBER = re.compile(r"(?:question|test) (\d+)\b")
_SETTINGS = "retry: {max_attempts: 1}\ntimeouts: {request_s: 2.0}\ngive_up_after: 100000\n"
_TASKS = ("conversation", "tools", "text", "choice")
_JUDGING = ("judge", "judge_pairwise", "flips")
_SHAPES = {
    "data_0shot.chat": "turn",
    "data_0shot.tools": "tool",
    "own_text_2shot": "text",
    "own_choice_0shot": "choice",
}
"""What is harmed of each task's items, besides judges."""


def shape_of(body: dict[str, Any]) -> str | None:
    """Say what kind of request this is; None for one that is never harmed; Any: JSON."""
    messages = body.get("messages")
    if messages is None:
        return "choice" if body.get("echo") else "text"
    if body["model"] == JUDGE:
        return "judge"
    if messages[-1]["role"] == "tool":
        return "tool"
    return "turn" if len(messages) == 3 else None


def index_of(body: dict[str, Any]) -> int:
    """Find the item that is asked about; Any: JSON."""
    return int(_NUMBER.findall(json.dumps(body.get("messages", body.get("prompt"))))[0])


class Harming:
    """Harms items by their number: some for good, some once."""

    def __init__(self) -> None:
        self.done: Counter[tuple[str, str]] = Counter()
        self._seen: Counter[tuple[str, int]] = Counter()

    def __call__(self, body: dict[str, Any]) -> str | None:
        """Say which harm a request meets; Any: JSON."""
        shape = shape_of(body)
        if shape is None:
            return None
        index = index_of(body)
        self._seen[shape, index] += 1
        way = way_of(shape, index)
        if way is None and index % 4 == 1 and self._seen[shape, index] == 1:
            way = "storm"
        if way is not None:
            self.done[shape, way] += 1
        return way


def way_of(shape: str, index: int) -> str | None:
    """Say how requests of this shape go wrong for good, of this item."""
    ways, first = ((*WAYS, "words"), 2) if shape == "judge" else (WAYS, 0)
    if index % 4 != first:
        return None
    return "hang" if index == first and shape in _HANGING else ways[index // 4 % len(ways)]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def only_words(body: dict[str, Any]) -> str | None:
    """Let judges say again what is no verdict: that is an answer, and is not asked again."""
    if shape_of(body) != "judge":
        return None
    return "words" if way_of("judge", index_of(body)) == "words" else None


def expected_outcome(shape: str, index: int, *, has_judge: bool) -> str:
    """Say how an item must end."""
    if way_of(shape, index) is not None:
        return "failed"
    return "unscored" if has_judge and way_of("judge", index) is not None else "answered"


def run(project: TaskProject) -> dict[str, Any]:
    """Run to the end, with failures; return what was printed. Any: JSON."""
    out, err = project.start().communicate(timeout=120)
    assert out, err
    printed: dict[str, Any] = json.loads(out)
    assert printed["errors"] == []
    return printed


def check_result(result: dict[str, Any], found: list[Any], whole: list[Any]) -> None:
    """Compare a task whose requests were harmed with the same task whose were not; Any: JSON."""
    shape, has_judge = _SHAPES[result["task"]], bool(result["roles"])
    outcomes = [expected_outcome(shape, index, has_judge=has_judge) for index in range(N)]
    assert [one["outcome"] for one in found] == outcomes
    assert result["outcomes"] == dict(Counter(outcomes))
    assert result["n_failed"] == N - outcomes.count("answered")
    for metric in result["metrics"]:
        if metric["category"] is not None:
            continue
        name = metric["metric"]
        scored = {"answered"} if name in _JUDGING else {"answered", "unscored"}
        right = [outcome in scored for outcome in outcomes]
        assert [one["scores"].get(name, {}).get("value") is not None for one in found] == right
        values = [one["scores"][name]["value"] for one in itertools.compress(whole, right)]
        assert metric["aggregate"]["value"] == pytest.approx(mean(values), abs=1e-12)
        assert metric["aggregate"]["n_scored"] == len(values)
        assert metric["aggregate"]["n_failed"] == N - len(values)


def add_background(project: TaskProject) -> None:
    """Let a task of other questions go on meanwhile: where nothing else is left than what fails,
    the server counts as down."""
    (project.folder / "more.jsonl").write_text(
        "".join(json.dumps({"input": f"more {i}", "output": "1"}) + "\n" for i in range(1000)),
        encoding="utf-8",
    )
    run_file = project.folder / "eval.yaml"
    background = "tasks:\n  - {dataset: 'jsonl:more.jsonl', metrics: [exact_match]}\n"
    text = run_file.read_text(encoding="utf-8").replace("tasks:\n", background)
    run_file.write_text(text, encoding="utf-8")


def test_what_went_wrong_is_counted_by_its_kind_and_the_rest_has_its_numbers(
    tmp_path: Path, task_server: TaskServer
) -> None:
    harmed, whole = (
        TaskProject(tmp_path / name, task_server.url, N, tasks=_TASKS, settings=_SETTINGS)
        for name in ("harmed", "whole")
    )
    task_server.harm = harming = Harming()
    add_background(harmed)

    printed = run(harmed)
    harmed_samples = samples(harmed.folder)
    task_server.harm = only_words
    resumed = run(harmed)
    expected = run(whole)

    for shape in ("judge", *_SHAPES.values()):
        done = {way for one, way in harming.done if one == shape}
        assert done - {"words", "hang"} == {*WAYS, "storm"}
        assert ("hang" in done) == (shape in _HANGING)
    whole_samples = samples(whole.folder)
    results = {result["task"]: result for result in printed["results"]}
    assert results.pop("more_0shot")["outcomes"] == {"answered": 1000}
    for key, result in results.items():
        check_result(result, harmed_samples[key], whole_samples[key])
    assert {key: numbers(resumed)[key] for key in results} == numbers(expected)
    found = samples(harmed.folder)
    assert {key: found[key] for key in results} == whole_samples
