"""Something to see on each of MLflow's pages."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag, Span
from mlflow.tracking import MlflowClient

MODELS = ("openai/gpt-x", "ローカル/日本語モデル")


@dataclass(frozen=True, slots=True)
class Seeded:
    """The ids of what was written."""

    experiment: str
    runs: tuple[str, str]


def seed(url: str, folder: Path) -> Seeded:
    """Write an experiment as llmeval's tracker would, and what other tabs show."""
    client: Any = MlflowClient(url)  # Any: mlflow's types are loose
    there = client.get_experiment_by_name("model_evaluation")  # if other tests were first
    experiment = there.experiment_id if there else client.create_experiment("model_evaluation")
    runs = [_run(client, experiment, model, folder) for model in MODELS]
    client.create_registered_model("registered-model")
    client.create_dataset("quiz-questions", experiment_id=experiment)
    _trace(client, experiment, runs[0])
    return Seeded(experiment, (runs[0], runs[1]))


def _run(client: Any, experiment: str, model: str, folder: Path) -> str:
    tags = {"mlflow.runType": "genai_evaluate", "mlflow.note.content": f"# Scores of {model}"}
    run = str(client.create_run(experiment, run_name=model, tags=tags).info.run_id)
    client.log_param(run, "model_name", model)
    client.log_param(run, "llmeval.state", "canonical")
    for step, value in enumerate([0.25, 0.5, 0.75]):
        client.log_metric(run, "aio_0shot_accuracy", value, step=step)
    columns = ["question", "answer", "score"]
    rows = [["日本の首都は？", "東京", 1.0], ["Capital of France?", "Lyon", 0.0]]
    table = folder / "aio_0shot.json"
    table.write_text(json.dumps({"columns": columns, "data": rows}))
    client.log_artifact(run, str(table))
    listed = json.dumps([{"path": table.name, "type": "table"}])
    client.set_tag(run, "mlflow.loggedArtifacts", listed)
    data = Dataset("aio", "digest1", "local", "{}", profile=json.dumps({"num_rows": 2}))
    client.log_inputs(run, [DatasetInput(data, [InputTag("mlflow.data.context", "evaluation")])])
    return run


def _trace(client: Any, experiment: str, run: str) -> None:
    """Write a trace of one sample, linked to its run."""
    trace_id = "tr-" + "ab" * 16
    span = Span.from_dict(
        {
            "name": "aio_0shot",
            "trace_id": trace_id,
            "span_id": "cd" * 8,
            "parent_span_id": "",
            "start_time_unix_nano": time.time_ns() - 10**9,
            "end_time_unix_nano": time.time_ns(),
            "status": {"code": "STATUS_CODE_OK", "message": ""},
            "attributes": {
                "mlflow.traceRequestId": json.dumps(trace_id),
                "mlflow.spanInputs": json.dumps("日本の首都は？", ensure_ascii=False),
                "mlflow.spanOutputs": json.dumps("東京", ensure_ascii=False),
            },
        }
    )
    client._tracing_client.store.log_spans(experiment, [span])
    client.link_traces_to_run([trace_id], run)
