"""The tracker keeps the promises that every tracker makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmeval_jsonl_tracker.tracker import JsonlTracker

from llmeval_core.testing import check_plugin, check_tracker


async def test_the_tracker_keeps_its_promises(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "results.jsonl"

    @contextmanager
    def file_in_the_way() -> Iterator[None]:
        path.parent.write_text("not a folder", encoding="utf-8")
        yield
        path.parent.unlink()

    def newest() -> Iterator[tuple[str, str, float]]:
        values: dict[tuple[str, str], float] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            result = json.loads(line)
            for metric in result["metrics"]:
                if metric["aggregate"]["value"] is not None:
                    values[result["model"], metric["key"]] = metric["aggregate"]["value"]
        return ((model, key, value) for (model, key), value in values.items())

    await check_tracker(lambda: JsonlTracker(path), tmp_path, read=newest, broken=file_in_the_way)


def test_the_plugin_is_well_formed() -> None:
    assert check_plugin("llmeval_jsonl_tracker.plugin").registered["trackers"]
