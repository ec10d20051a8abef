"""Data set, metric and tracker work together in a run."""

from __future__ import annotations

from pathlib import Path

from llmeval_example_plugin.brevity import Brevity, BrevitySettings
from llmeval_example_plugin.csv_file import CsvFileSettings, CsvFileTracker
from llmeval_example_plugin.weekdays import Weekdays, WeekdaysSettings

from llmeval_core.testing import FakeModel, run_in


async def test_all_three_work_together(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"

    outcome = await run_in(
        tmp_path / "home",
        datasets={"weekdays": Weekdays(WeekdaysSettings())},
        models={"fake": FakeModel(lambda asked: "Tuesday")},
        metrics={"brevity": Brevity(BrevitySettings())},
        trackers={"csv_file": CsvFileTracker(CsvFileSettings(path=path))},
    )

    assert outcome.summary.n_undelivered == 0
    assert "weekdays_en_0shot_brevity,1.0" in path.read_text(encoding="utf-8")
