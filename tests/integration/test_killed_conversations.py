"""kill -9 in the middle of conversations: they go on in the turn in which they were."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

from tests.integration.conftest import CountingServer, Project
from tests.integration.journal_reading import journal_rows

N_KILLS = int(os.environ.get("LLMEVAL_RUN_KILLS", "6"))
"""How often a run is killed; CI sets 50."""
N_TURNS = 4


class Conversations(Project):
    """A project whose samples are conversations of `N_TURNS` turns."""

    def __init__(self, folder: Path, url: str, n: int) -> None:
        super().__init__(folder, url, n)
        rows = [
            {
                "input": f"talk {i}",
                "output": f"{i % 3 and i} turn 3",
                "follow_ups": [f"{i} turn {turn}" for turn in range(1, N_TURNS)],
            }
            for i in range(n)
        ]
        lines = "\n".join(map(json.dumps, rows))
        (folder / "data.jsonl").write_text(lines + "\n", encoding="utf-8")
        (folder / "eval.yaml").write_text(
            f"models: [{{name: mine/m, provider: openai_compatible, base_url: '{url}'}}]\n"
            "tasks:\n"
            "  - dataset: {use: 'jsonl:data.jsonl', metadata: [follow_ups]}\n"
            "    solver: conversation\n"
            "    metrics: [exact_match]\n"
            "concurrency: 8\n",
            encoding="utf-8",
        )


def answered(folder: Path) -> set[str]:
    """Read which turns have an answer in the journal, as another process would."""
    rows = journal_rows(folder, "SELECT messages FROM generations")
    return {json.loads(messages)[-1][1] for (messages,) in rows}


def test_conversations_that_are_killed_again_and_again_end_with_the_right_numbers(
    tmp_path: Path, server: CountingServer
) -> None:
    chance = random.Random(13)
    server.latency_s = 0.01
    n = 30 * N_KILLS
    (tmp_path / "killed").mkdir()
    project = Conversations(tmp_path / "killed", server.url, n)
    known: set[str] = set()
    for _ in range(N_KILLS):
        before = server.asked.copy()
        process = project.start()
        server.wait_for(server.asked.total() + 1)
        time.sleep(chance.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        now = answered(project.folder)
        assert known <= now
        assert not [turn for turn in known if server.asked[turn] > before[turn]]
        known = now
    assert 0 < len(known) < N_TURNS * n
    printed = project.finish(project.start())

    (tmp_path / "undisturbed").mkdir()
    undisturbed = Conversations(tmp_path / "undisturbed", server.url, n)
    (expected,) = undisturbed.finish(undisturbed.start())["results"]
    (result,) = printed["results"]
    assert result["n_samples"] == n
    assert result["metrics"] == expected["metrics"]
    assert len(server.asked) == N_TURNS * n
    assert max(server.n_messages) == 2 * N_TURNS - 1


def test_ctrl_c_loses_no_turn(tmp_path: Path, server: CountingServer) -> None:
    project = Conversations(tmp_path, server.url, 60)
    process = project.start()
    server.wait_for(70)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 130, err
    assert '"interrupted": true' in out
    assert "Traceback" not in err
    assert server.asked.total() == len(answered(project.folder))
    project.finish(project.start())
    assert set(server.asked.values()) == {1}
