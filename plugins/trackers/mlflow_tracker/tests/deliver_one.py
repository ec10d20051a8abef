"""A process of its own that opens the tracker, waits for a line, and delivers one result.

Arguments: home, tracking URI (empty for the embedded store), model, data set. It says `ready`
once it is open and could deliver at once.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker

from llmeval_core.hooks import Aggregate, MetricResult, RunInfo, TaskResult


async def main(home: Path, uri: str, model: str, dataset: str) -> None:
    tracker = MlflowTracker(MlflowSettings(tracking_uri=uri or None, timeout_s=60))
    await tracker.open(RunInfo("mlflow", home, lambda _: {}, lambda _: ()))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    metric = MetricResult(
        key=f"{dataset}_0shot_accuracy",
        metric="accuracy",
        definition="accuracy@1",
        higher_is_better=True,
        category=None,
        aggregate=Aggregate(value=0.5),
    )
    result = TaskResult(
        id=f"{model} {dataset}",
        model=model,
        task=f"{dataset}_0shot",
        dataset=dataset,
        dataset_fingerprint="f",
        n_shots=0,
        task_fingerprint="t",
        plan_fingerprint="p",
        metrics=(metric,),
        n_samples=1,
        n_failed=0,
        n_prompt_tokens=None,
        n_completion_tokens=None,
        started_at=0.0,
        finished_at=1.0,
        settings={},
        llmeval_version="0.1.0",
    )
    await tracker.deliver(result)
    await tracker.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
