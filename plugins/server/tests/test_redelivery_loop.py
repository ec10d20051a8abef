"""A tracker that was away when the last job ended gets its results without being asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from llmeval_server.jobs.redelivery_loop import RedeliveryLoop

from llmeval_core.api import DeliveryRepository, Journal, make_session
from plugins.server.tests.server_processes import wait_until


def test_a_tracker_gets_what_it_lacks_as_soon_as_it_is_back_and_no_job_runs(
    tmp_path: Path,
) -> None:
    folder, home, running = tmp_path / "results", tmp_path / "home", [True]
    folder.write_text("a file where the tracker wants its folder")
    (tmp_path / "some.jsonl").write_text('{"input": "a", "references": ["a"]}\n')
    code = "from llmeval_core.cli import main; main()"
    (tmp_path / "eval.yaml").write_text(
        "models: [echo/m]\ntasks: [{dataset: jsonl:some.jsonl, metrics: [exact_match]}]\n"
        f"trackers: [{{use: jsonl, path: {folder}/all.jsonl, required: false}}]\n"
    )
    flags = ["eval.yaml", "--home", str(home)]
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "run", *flags], cwd=tmp_path, check=False
    )
    bugs = ["one"]

    def is_idle() -> bool:
        if not running and bugs:
            raise ZeroDivisionError(bugs.pop())
        return not running

    redelivery = RedeliveryLoop(home, make_session().catalog, is_idle, pause_s=0.05)

    def n_undelivered() -> list[int]:
        with Journal(home) as journal:
            return [
                one.n_undelivered for one in journal.deliveries(DeliveryRepository.tracker_statuses)
            ]

    assert done.returncode == 0  # it is not required
    assert n_undelivered() == [1]
    redelivery.start()
    folder.unlink()
    assert n_undelivered() == [1]
    running.clear()
    wait_until(lambda: n_undelivered() == [0], "the delivery")
    redelivery.stop()

    assert not bugs  # which ended nothing
    assert len((folder / "all.jsonl").read_text().splitlines()) == 1
