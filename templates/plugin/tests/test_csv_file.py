"""The tracker keeps every promise that the conformance checks know."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmeval_example_plugin.csv_file import CsvFileSettings, CsvFileTracker

from llmeval_core.testing import check_plugin, check_tracker


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.csv_file")

    assert set(plugin.registered) == {"trackers"}


async def test_the_tracker_keeps_its_promises(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "results.csv"

    @contextmanager
    def file_in_the_way() -> Iterator[None]:
        path.parent.write_text("not a folder", encoding="utf-8")
        yield
        path.parent.unlink()

    def newest() -> Iterator[tuple[str, str, float]]:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["value"]]
        values = {(row["model"], row["key"]): float(row["value"]) for row in rows}
        return ((model, key, value) for (model, key), value in values.items())

    await check_tracker(
        lambda: CsvFileTracker(CsvFileSettings(path=path)),
        tmp_path,
        read=newest,
        broken=file_in_the_way,
    )
