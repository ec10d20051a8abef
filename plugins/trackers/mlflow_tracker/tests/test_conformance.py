"""The tracker keeps the promises that every tracker makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker
from mlflow import MlflowClient

from llmeval_core.testing import check_plugin, check_tracker


async def test_the_tracker_keeps_its_promises(tmp_path: Path) -> None:
    def shown() -> Iterator[tuple[str, str, float]]:
        client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
        experiment = client.get_experiment_by_name("model_evaluation")
        assert experiment is not None
        for run in client.search_runs([experiment.experiment_id]):
            for key, value in run.data.metrics.items():
                yield run.data.params["model_name"], key, value

    @contextmanager
    def folder_in_the_way() -> Iterator[None]:
        (tmp_path / "mlflow.db").mkdir()
        yield
        (tmp_path / "mlflow.db").rmdir()

    await check_tracker(
        lambda: MlflowTracker(MlflowSettings()), tmp_path, read=shown, broken=folder_in_the_way
    )


def test_the_plugin_is_well_formed() -> None:
    assert check_plugin("llmeval_mlflow_tracker.plugin").registered["trackers"]
