"""Sixteen writers with wrong clocks, killed at random: one run remains, and no score is lost.

The number of rounds on each kind of database is `LLMEVAL_RACE_ROUNDS`; of three, one has a plain
name, one a name that MLflow cannot search for, and one a duplicate run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mlflow.tracking import MlflowClient

from plugins.trackers.mlflow_tracker.tests.writer_processes import WriterProcesses

ROUNDS = int(os.environ.get("LLMEVAL_RACE_ROUNDS", "3"))
WRITERS = 16
KILL = 0.08
Client = Any  # mlflow's types are loose


def runs_of(client: Client, model: str) -> list[Any]:
    experiment = client.get_experiment_by_name("model_evaluation").experiment_id
    pattern = model.replace("'", "_")
    return list(client.search_runs([experiment], f"params.model_name LIKE '{pattern}'"))


def make_duplicate(client: Client, model: str) -> None:
    """Make a run by hand, as a colleague would who does not know of ours."""
    experiment = client.get_experiment_by_name("model_evaluation").experiment_id
    run = client.create_run(experiment, run_name=model)
    client.log_param(run.info.run_id, "model_name", model)
    client.log_metric(run.info.run_id, "by_hand", 0.125)


def test_one_run_remains_and_every_delivered_score_is_there(
    any_server: Any, writers: WriterProcesses, tmp_path: Path
) -> None:
    client: Client = MlflowClient(any_server.url)
    kills = 0
    for number in range(ROUNDS):
        model = f"race/it's {number}" if number % 2 else f"race/plain-{number}"
        home = tmp_path / str(number)
        home.mkdir()
        has_duplicate = number % 3 == 2
        if has_duplicate:
            make_duplicate(client, model)

        kills += writers.deliver_until_done(
            WRITERS, uri=any_server.url, home=str(home), model=model, kill=KILL, seed=f"{number}"
        )

        (run,) = runs_of(client, model)
        metrics = run.data.metrics
        for writer in range(WRITERS):
            assert metrics[f"set{writer}_0shot_accuracy"] == writer / 100
            assert metrics[f"set{writer}_0shot_f1"] == writer / 200
        history = client.get_metric_history(run.info.run_id, "shared_0shot_accuracy")
        values = {point.value for point in history}
        assert values == {1 + writer / 100 for writer in range(WRITERS)}
        assert metrics["shared_0shot_accuracy"] in values
        assert metrics.get("by_hand") == (0.125 if has_duplicate else None)
        assert run.info.status == "FINISHED"
    assert kills > ROUNDS, "hardly a writer was killed: the test proves nothing"
