"""Sixteen writers with wrong clocks, killed at random: one run remains, and no score is lost.

The number of rounds on each kind of database is `LLMEVAL_RACE_ROUNDS`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

ROUNDS = int(os.environ.get("LLMEVAL_RACE_ROUNDS", "4"))
WRITERS = 16
KILL = 0.08
Client = Any  # mlflow's types are loose


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    log = (tmp_path_factory.mktemp("race") / "log").open("w+")
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "race_writers.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=environment,
    )
    with process, log:
        yield process
        process.kill()


def play(writers: subprocess.Popen[str], **order: Any) -> int:
    """Let the writers run and return how often one was killed."""
    assert writers.stdin is not None
    assert writers.stdout is not None
    writers.stdin.write(json.dumps({"writers": WRITERS, "kill": KILL, **order}) + "\n")
    writers.stdin.flush()
    answer = writers.stdout.readline()
    assert answer, "the writers' process died"
    return int(json.loads(answer)["kills"])


def runs_of(client: Client, model: str) -> list[Any]:
    experiment = client.get_experiment_by_name("model_evaluation").experiment_id
    pattern = model.replace("'", "_")
    return list(client.search_runs([experiment], f"params.model_name LIKE '{pattern}'"))


def make_stray(client: Client, model: str) -> None:
    """Make a run by hand, as a colleague would who does not know of ours."""
    experiment = client.get_experiment_by_name("model_evaluation").experiment_id
    run = client.create_run(experiment, run_name=model)
    client.log_param(run.info.run_id, "model_name", model)
    client.log_metric(run.info.run_id, "by_hand", 0.125)


def test_one_run_remains_and_every_delivered_score_is_there(
    any_server: Any, writers: subprocess.Popen[str], tmp_path: Path
) -> None:
    client: Client = MlflowClient(any_server.url)
    kills = 0
    for number in range(ROUNDS):
        model = f"race/it's {number}" if number % 2 else f"race/plain-{number}"
        home = tmp_path / str(number)
        home.mkdir()
        has_stray = number % 3 == 2
        if has_stray:
            make_stray(client, model)

        kills += play(writers, uri=any_server.url, home=str(home), model=model, seed=f"{number}")

        (run,) = runs_of(client, model)
        metrics = run.data.metrics
        for writer in range(WRITERS):
            assert metrics[f"set{writer}_0shot_accuracy"] == writer / 100
            assert metrics[f"set{writer}_0shot_f1"] == writer / 200
        history = client.get_metric_history(run.info.run_id, "shared_0shot_accuracy")
        values = {point.value for point in history}
        assert values == {1 + writer / 100 for writer in range(WRITERS)}
        assert metrics["shared_0shot_accuracy"] in values
        assert metrics.get("by_hand") == (0.125 if has_stray else None)
        assert run.info.status == "FINISHED"
    assert kills > ROUNDS, "hardly a writer was killed: the test proves nothing"
