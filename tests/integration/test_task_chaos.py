"""Judges, turns, tool steps and lm-eval's requests go wrong in every way: nothing becomes a 0."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.integration.loopback_server import HARMS
from tests.integration.task_project import TaskProject, numbers, samples
from tests.integration.task_server import JUDGE, TaskServer

N = 48
WAYS = ("refuse", "reset", "half", "not_json", "html", "error", "bad_request")
"""How requests go wrong for good; the first item is never answered in time instead. A quota that
never ends would end the model."""
PASSING = tuple(way for way in HARMS if way != "hang")
_NUMBER = re.compile(r"(?:question|test) (\d+)\b")
_SETTINGS = (
    "retry: {max_attempts: 2, base_s: 0.001, max_s: 0.002, budget: 100}\n"
    "timeouts: {request_s: 2.0}\n"
    "give_up_after: 100000\n"
)
_TASKS = ("conversation", "tools", "text", "choice")
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
    """Harms items by their number: some for good, some at their first attempt only."""

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
            way = PASSING[index // 4 % len(PASSING)]
        if way is not None:
            self.done[shape, way] += 1
        return way


def way_of(shape: str, index: int) -> str | None:
    """Say how requests of this shape go wrong for good, of this item."""
    ways, first = ((*WAYS, "words"), 2) if shape == "judge" else (WAYS, 0)
    if index % 4 != first:
        return None
    return "hang" if index == first else ways[index // 4 % len(ways)]


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
    assert not any(one["scores"] for one in found if one["outcome"] != "answered")
    right = [one for one, outcome in zip(whole, outcomes, strict=True) if outcome == "answered"]
    for metric in result["metrics"]:
        if metric["category"] is None:
            values = [one["scores"][metric["metric"]]["value"] for one in right]
            assert metric["aggregate"]["value"] == pytest.approx(mean(values), abs=1e-12)
            assert metric["aggregate"]["n_scored"] == len(right)


def test_what_went_wrong_is_counted_by_its_kind_and_the_rest_has_its_numbers(
    tmp_path: Path, task_server: TaskServer
) -> None:
    harmed, whole = (
        TaskProject(tmp_path / name, task_server.url, N, tasks=_TASKS, settings=_SETTINGS)
        for name in ("harmed", "whole")
    )
    task_server.harm = harming = Harming()

    printed = run(harmed)
    harmed_samples = samples(harmed.folder)
    task_server.harm = only_words
    resumed = run(harmed)
    expected = run(whole)

    for shape in ("judge", *_SHAPES.values()):
        done = {way for one, way in harming.done if one == shape}
        assert done - {"words"} == {*WAYS, "hang", "storm"}
    whole_samples = samples(whole.folder)
    for result in printed["results"]:
        key = result["task"]
        check_result(result, harmed_samples[key], whole_samples[key])
    assert numbers(resumed) == numbers(expected)
    assert samples(harmed.folder) == whole_samples
