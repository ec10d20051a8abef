"""Whatever a server does, every sample ends exactly once, and the numbers are right."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.journal import Journal
from tests.integration.chaos_server import ChaosServer
from tests.integration.loopback_server import HARMS

N_SAMPLES = 10_000


@pytest.fixture
def chaos() -> Iterator[ChaosServer]:
    """Harm a quarter of all attempts."""
    server = ChaosServer(seed=11, harm=0.25)
    yield server
    server.close()


def write_project(folder: Path, url: str, *, most_attempts: int) -> None:
    rows = [
        {"input": f"question {i}", "output": f"question {i % 7 and i}"} for i in range(N_SAMPLES)
    ]
    lines = "\n".join(json.dumps(row) for row in rows)
    (folder / "data.jsonl").write_text(lines + "\n", encoding="utf-8")
    (folder / "eval.yaml").write_text(
        f"models: [{{name: mine/m, provider: openai_compatible, base_url: '{url}'}}]\n"
        "tasks: [{dataset: 'jsonl:data.jsonl', metrics: [exact_match]}]\n"
        f"retry: {{max_attempts: {most_attempts}, base_s: 0.01, max_s: 0.1, budget: 10}}\n"
        "timeouts: {request_s: 1.0}\n"
        "concurrency: 64\n"
        "give_up_after: 10000\n",
        encoding="utf-8",
    )


def run_in(folder: Path) -> tuple[int, dict[str, Any]]:  # Any: JSON
    finished = subprocess.run(
        [sys.executable, "-c", "from llmeval_core.cli import main; main()",
         "run", "eval.yaml", "--json"],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.stdout, finished.stderr
    printed: dict[str, Any] = json.loads(finished.stdout)
    return finished.returncode, printed


def test_ten_thousand_samples_end_as_ten_thousand_results_each_once(
    chaos: ChaosServer, tmp_path: Path
) -> None:
    write_project(tmp_path, chaos.url, most_attempts=50)

    exit_code, printed = run_in(tmp_path)

    (result,) = printed["results"]
    expected = sum(1 for i in range(N_SAMPLES) if i == 0 or i % 7) / N_SAMPLES
    assert (exit_code, result["n_samples"], result["n_failed"]) == (0, N_SAMPLES, 0)
    assert result["metrics"][0]["aggregate"]["value"] == pytest.approx(expected, abs=1e-12)
    assert len(chaos.answered) == N_SAMPLES
    assert set(chaos.harmed) == set(HARMS)
    with Journal(tmp_path / ".llmeval") as journal, journal.reader() as reader:
        (task,) = reader.tasks()
        indices = [sample.index for sample in reader.sample_results(task.id)]
    assert indices == list(range(N_SAMPLES))


def test_what_failed_for_good_is_named_and_asked_again_by_the_next_run(
    chaos: ChaosServer, tmp_path: Path
) -> None:
    write_project(tmp_path, chaos.url, most_attempts=2)

    first_code, first = run_in(tmp_path)
    answered = set(chaos.answered)
    chaos.harm = 0.0
    second_code, second = run_in(tmp_path)

    n_failed = first["results"][0]["n_failed"]
    assert (first_code, second_code) == (1, 0)
    assert 0 < n_failed < N_SAMPLES / 4
    assert second["n_requests"] == n_failed
    assert second["results"][0]["n_failed"] == 0
    assert all(chaos.answered[question] == 1 for question in set(chaos.answered) - answered)
