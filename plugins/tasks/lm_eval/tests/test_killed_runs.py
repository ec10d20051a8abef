"""kill -9 in the middle of one of lm-eval's tasks: it goes on, prompts and numbers the same."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from tests.integration.conftest import CountingServer, Project, server

__all__ = ["server"]

N_KILLS = int(os.environ.get("LLMEVAL_RUN_KILLS", "3"))
"""How often a run is killed; CI sets 50."""
AT_ONCE = 8

_TASK = """
task: mine
custom_dataset: !function rows.load
dataset_path: mine
training_split: train
test_split: test
doc_to_text: "{{q}}"
doc_to_target: "{{a}}"
num_fewshot: 3
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}, {metric: chrf}]
"""
_ROWS = """
from datasets import Dataset, DatasetDict
def rows(name, n):
    made = [{"q": f"{name} {i}", "a": f"{name} {i %% 3 and i}"} for i in range(n)]
    return Dataset.from_list(made)
def load(**_):
    return DatasetDict({"train": rows("train", 40), "test": rows("test", %d)})
"""


class LmEvalProject(Project):
    """A project with a task of lm-eval's kind; the server says each question again."""

    def __init__(self, folder: Path, url: str, n: int) -> None:
        folder.mkdir()
        super().__init__(folder, url, n)
        (folder / "tasks").mkdir()
        (folder / "tasks" / "mine.yaml").write_text(_TASK, encoding="utf-8")
        (folder / "tasks" / "rows.py").write_text(_ROWS % n, encoding="utf-8")
        (folder / "eval.yaml").write_text(
            f"models: [{{name: mine/m, provider: openai_compatible, base_url: '{url}'}}]\n"
            "tasks:\n"
            "  - task: {use: lm_eval, tasks: mine, include_path: [tasks],\n"
            "           include_defaults: false, apply_chat_template: true}\n"
            f"concurrency: {AT_ONCE}\n",
            encoding="utf-8",
        )


def numbers(printed: dict[str, Any]) -> list[Any]:
    """Take the numbers out of what a run printed; Any: JSON."""
    (result,) = printed["results"]
    return [[one["key"], one["aggregate"]] for one in result["metrics"]]


def test_a_task_that_is_killed_again_and_again_ends_with_the_right_numbers(
    tmp_path: Path, server: CountingServer
) -> None:
    chance = random.Random(13)
    server.latency_s = 0.01
    n = 60 * N_KILLS
    whole = LmEvalProject(tmp_path / "whole", server.url, n)
    expected = numbers(whole.finish(whole.start()))
    server.asked.clear()
    project = LmEvalProject(tmp_path / "killed", server.url, n)
    for _ in range(N_KILLS):
        process = project.start()
        server.wait_for(server.asked.total() + 1)
        time.sleep(chance.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()

    found = numbers(project.finish(project.start()))

    assert found == expected
    assert len(server.asked) == n
    # What was under way, and what was answered within the last commit, is asked once more.
    assert server.asked.total() <= n + N_KILLS * 4 * AT_ONCE
