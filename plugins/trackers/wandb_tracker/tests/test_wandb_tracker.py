"""The tracker against W&B's real offline mode: read back from the files that it leaves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from llmeval_wandb_tracker.content import artifact_name, run_id
from llmeval_wandb_tracker.settings import WandbSettings
from llmeval_wandb_tracker.tracker import WandbTracker

from llmeval_core.hooks import Receipt, TaskResult, TrackerError
from llmeval_core.testing import check_plugin, check_tracker, make_task_result, run_info
from plugins.trackers.wandb_tracker.tests.wandb_files import runs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:wandb.*")


async def deliver(home: Path, *results: TaskResult, **settings: object) -> list[Receipt]:
    """Deliver as a new process would."""
    tracker = WandbTracker(WandbSettings.model_validate({"mode": "offline", **settings}))
    await tracker.open(run_info(home))
    try:
        return [await tracker.deliver(result) for result in results]
    finally:
        await tracker.close()


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("run-*.wandb"))


def scores(summary: dict[str, object]) -> Iterator[tuple[str, float]]:
    for key, value in summary.items():
        if not key.startswith(("llmeval/", "_")) and isinstance(value, int | float):
            yield key, value


async def test_the_tracker_keeps_its_promises(tmp_path: Path) -> None:
    folder = tmp_path / "wandb"

    @contextmanager
    def file_in_the_way() -> Iterator[None]:
        folder.write_text("not a folder", encoding="utf-8")
        yield
        folder.unlink()

    def shown() -> Iterator[tuple[str, str, float]]:
        for run in runs(folder).values():
            for key, value in scores(run["summary"]):
                yield run["config"]["model_name"], key, value

    await check_tracker(
        lambda: WandbTracker(WandbSettings(mode="offline")),
        tmp_path,
        read=shown,
        broken=file_in_the_way,
    )


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_wandb_tracker.plugin")

    assert [entry.name for entry in plugin.offers["trackers"]] == ["wandb"]


async def test_a_run_tells_what_was_measured(tmp_path: Path) -> None:
    result = make_task_result(id="r1", model="openai/gpt-x", metrics={"exact_match": 0.75})

    (receipt,) = await deliver(tmp_path, result)

    (run,) = runs(tmp_path).values()
    assert run["name"] == "openai/gpt-x"
    assert run["config"]["model_name"] == "openai/gpt-x"
    (metric,) = result.metrics
    assert run["config"]["definitions"] == {metric.key: metric.definition}
    assert run["config"]["datasets"] == {result.dataset: result.dataset_fingerprint}
    assert run["summary"][metric.key] == 0.75
    assert run["summary"][f"llmeval/results/{result.task}"] == "r1"
    assert run["artifacts"] == [artifact_name("openai/gpt-x", result.task)]
    assert receipt.location == str(tmp_path / "wandb" / "model_evaluation")


async def test_a_result_that_was_delivered_opens_no_run(tmp_path: Path) -> None:
    result = make_task_result(id="r1")
    await deliver(tmp_path, result)
    before = files_in(tmp_path)

    await deliver(tmp_path, result)

    assert files_in(tmp_path) == before


async def test_a_cut_table_is_told_and_none_is_possible(tmp_path: Path) -> None:
    (cut,) = await deliver(tmp_path, make_task_result(id="r1"), max_table_rows=1)
    (none,) = await deliver(
        tmp_path, make_task_result(id="r2", model="fake/other"), max_table_rows=0
    )

    assert cut.note is not None
    assert "the first 1 of" in cut.note
    assert none.note is None
    assert runs(tmp_path)[run_id("fake/other")]["artifacts"] == []


async def test_without_a_key_it_says_so_and_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)

    with pytest.raises(TrackerError, match="no API key") as refused:
        await deliver(tmp_path, make_task_result(id="r1"), mode="online")

    assert refused.value.hint is not None
    assert "wandb login" in refused.value.hint


def test_a_server_that_is_away_is_told_without_the_key(tmp_path: Path) -> None:
    key = "k" * 40
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    environment = {**os.environ, "WANDB_API_KEY": key, "WANDB_BASE_URL": url}
    script = Path(__file__).parent / "deliver_online.py"

    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "4"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )

    assert done.stdout.startswith("TrackerError, comes again: ")
    assert key not in done.stdout + done.stderr


async def test_nothing_is_written_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await deliver(tmp_path, make_task_result(id="r1"))

    assert capfd.readouterr() == ("", "")
