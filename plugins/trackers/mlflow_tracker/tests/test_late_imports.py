"""How the plugin presents itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from llmeval_mlflow_tracker.plugin import llmeval_register_checks, llmeval_register_trackers
from llmeval_mlflow_tracker.settings import MlflowSettings

from llmeval_core.hooks import Tracker


def test_mlflow_is_offered_as_a_tracker() -> None:
    (entry,) = llmeval_register_trackers()

    assert entry.name == "mlflow"
    assert isinstance(entry.factory(MlflowSettings()), Tracker)


def test_neither_the_plugin_nor_a_tracker_imports_mlflow() -> None:
    code = (
        "import sys; from llmeval_mlflow_tracker import plugin;"
        "from llmeval_mlflow_tracker.settings import MlflowSettings;"
        "(entry,) = plugin.llmeval_register_trackers(); entry.factory(MlflowSettings());"
        "print('mlflow' in sys.modules)"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"


def test_the_check_is_content_before_the_first_delivery(tmp_path: Path) -> None:
    (check,) = llmeval_register_checks()

    outcome = check.run(tmp_path)

    assert (check.name, outcome.state) == ("MLflow", "ok")
    assert outcome.detail == f"{tmp_path}/mlflow.db will be made by the first delivery"
