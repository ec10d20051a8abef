"""A project with tasks of every shape: conversations, tools, votes, judges, lm-eval's tasks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmeval_core.api import Journal, sample_json
from tests.integration.conftest import Project

_LM_EVAL = "  - task: {use: lm_eval, tasks: %s, include_path: [tasks], include_defaults: false}\n"
TASKS = {
    "conversation": (
        "  - dataset: {use: 'jsonl:data.jsonl', metadata: [follow_ups]}\n"
        "    variant: chat\n"
        "    solver: conversation\n"
        "    extract: '([0-9]+)'\n"
        "    metrics: [exact_match, judge, judge_pairwise, {use: judge_pairwise, number: flips,"
        " name: flips}]\n"
    ),
    "tools": (
        "  - dataset: jsonl:data.jsonl\n"
        "    variant: tools\n"
        "    solver: {use: tool_loop, tools: [calculator], max_steps: 4}\n"
        "    extract: '([0-9])(?: |$)'\n"
        "    metrics: [exact_match, judge]\n"
    ),
    "votes": (
        "  - dataset: jsonl:data.jsonl\n"
        "    variant: votes\n"
        "    generation: {seed: 5}\n"
        "    solver: {use: self_consistency, n: 5}\n"
        "    extract: '([0-9]+)'\n"
    ),
    "text": _LM_EVAL % "own_text",
    "choice": _LM_EVAL % "own_choice",
    "plain": "  - {dataset: 'jsonl:data.jsonl', extract: '([0-9]+)', metrics: [exact_match]}\n",
}
"""By a name, the text of each in the run file."""

_TEXT = """
task: own_text
output_type: generate_until
generation_kwargs: {until: ["\\n"], max_gen_toks: 16}
num_fewshot: 2
filter_list: [{name: number, filter: [{function: regex, regex_pattern: "([0-9])"},
                                      {function: take_first}]}]
metric_list: [{metric: exact_match}]
"""
_CHOICE = """
task: own_choice
output_type: multiple_choice
doc_to_choice: ["zero", "one", "two"]
metric_list: [{metric: acc}, {metric: acc_norm}]
"""
_DATA = """
dataset_path: json
dataset_kwargs: {data_files: {train: train.jsonl, test: test.jsonl}}
training_split: train
test_split: test
doc_to_text: "Q: {{q}} A:"
doc_to_target: "{{a}}"
"""


def _write_lines(path: Path, rows: Sequence[object]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


class TaskProject(Project):
    """A project with the tasks of `TASKS`; every model is at the server.

    Args:
        folder: is made.
        url: of the server.
        n: samples of each task.
        tasks: which, in which order; None for all.
        concurrency: requests under way at once.
        settings: more lines of the run file.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        n: int,
        *,
        tasks: Sequence[str] | None = None,
        concurrency: int = 64,
        settings: str = "",
    ) -> None:
        folder.mkdir(parents=True)
        super().__init__(folder, url, n)
        rows = [
            {
                "input": f"question {i}",
                "output": str(i % 3),
                "category": "even" if i % 2 == 0 else "odd",
                "follow_ups": [f"{i} turn {turn}" for turn in (1, 2)],
            }
            for i in range(n)
        ]
        _write_lines(folder / "data.jsonl", rows)
        _write_lines(folder / "train.jsonl", [{"q": f"train {i}", "a": i % 3} for i in range(20)])
        _write_lines(folder / "test.jsonl", [{"q": f"test {i}", "a": i % 3} for i in range(n)])
        (folder / "tasks").mkdir()
        for name, text in {"own_text": _TEXT, "own_choice": _CHOICE}.items():
            (folder / "tasks" / f"{name}.yaml").write_text(text + _DATA, encoding="utf-8")
        self.write_run_file(url, tasks or tuple(TASKS), concurrency, settings)

    def write_run_file(
        self, url: str, tasks: Sequence[str], concurrency: int, settings: str
    ) -> None:
        """Write `eval.yaml`."""
        at = f"provider: openai_compatible, base_url: '{url}', loglikelihood: echo"
        (self.folder / "eval.yaml").write_text(
            f"models: [{{name: mine/m, {at}}}]\n"
            f"roles: {{judge: {{name: mine/judge, {at}}}}}\n"
            "prices: {mine/m: {input: 1, output: 2}, mine/judge: {input: 3, output: 5}}\n"
            f"concurrency: {concurrency}\n"
            f"{settings}tasks:\n" + "".join(TASKS[name] for name in tasks),
            encoding="utf-8",
        )


def numbers(printed: dict[str, Any]) -> dict[str, Any]:
    """Take what must not depend on chance out of what a run printed, by task; Any: JSON."""
    chance = ("id", "started_at", "finished_at", "plan_fingerprint", "task_fingerprint")
    return {
        result["task"]: {key: value for key, value in result.items() if key not in chance}
        for result in printed["results"]
    }


def samples(folder: Path) -> dict[str, list[Any]]:
    """Read all samples of all tasks, turns and scores, without what took time; Any: JSON."""
    with Journal(folder / ".llmeval") as journal, journal.reader() as reader:
        return {
            task.key: [_timeless(sample_json(one)) for one in reader.sample_results(task.id)]
            for task in reader.tasks()
        }


def _timeless(value: Any) -> Any:
    """Leave latencies out of JSON, however deep; Any: JSON."""
    if isinstance(value, dict):
        return {key: _timeless(one) for key, one in value.items() if key != "latency_s"}
    return [_timeless(one) for one in value] if isinstance(value, list) else value
