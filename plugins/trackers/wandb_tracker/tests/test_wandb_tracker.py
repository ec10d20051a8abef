"""The tracker against W&B's real offline mode: read back from the files that it leaves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from llmeval_wandb_tracker.run_summary import artifact_name, run_id
from llmeval_wandb_tracker.settings import WandbSettings
from llmeval_wandb_tracker.tracker import WandbTracker

from llmeval_core.hooks import Receipt, RunInfo, SampleResult, TaskResult, Turn
from llmeval_core.testing import (
    check_plugin,
    check_tracker,
    make_generation,
    make_request,
    make_sample,
    make_task_result,
    run_info,
)
from plugins.trackers.wandb_tracker.tests.wandb_files import runs, staged_rows

README = Path(__file__).parents[1] / "README.md"


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

    assert [entry.name for entry in plugin.registered["trackers"]] == ["wandb"]


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


async def test_an_answer_with_half_an_emoji_and_a_nul_does_not_stop_a_delivery(
    tmp_path: Path,
) -> None:
    half = make_generation("half \ud83d and \x00" + "x" * 5000)
    sample = SampleResult(0, make_sample(), make_request(), half, scores={})
    info = RunInfo("wandb", tmp_path, lambda result: {}, lambda result: [sample])
    result = make_task_result(id="r1")
    tracker = WandbTracker(WandbSettings(mode="offline"))
    await tracker.open(info)

    await tracker.deliver(result)
    await tracker.close()

    (run,) = runs(tmp_path).values()
    assert run["artifacts"] == [artifact_name(result.model, result.task)]


async def test_a_result_that_was_delivered_opens_no_run(tmp_path: Path) -> None:
    result = make_task_result(id="r1")
    await deliver(tmp_path, result)
    before = files_in(tmp_path)

    await deliver(tmp_path, result)

    assert files_in(tmp_path) == before


async def test_wandb_sync_would_bring_every_delivery(tmp_path: Path) -> None:
    await deliver(tmp_path, make_task_result(id="r1"), make_task_result(id="r2", dataset="rivers"))
    (readme,) = (line for line in README.read_text().splitlines() if line.startswith("wandb sync"))
    command = readme.replace(".llmeval/", f"{tmp_path}/")

    told = await asyncio.to_thread(
        subprocess.run,
        f"{sys.executable} -m {command} --dry-run",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "Would sync 2 run(s)" in told.stdout + told.stderr


async def test_two_trackers_write_to_one_model_each_in_a_project_of_its_own(tmp_path: Path) -> None:
    result = make_task_result(id="r1")

    await asyncio.gather(
        deliver(tmp_path, result, project="team"), deliver(tmp_path, result, project="mine")
    )

    for project in ("team", "mine"):
        (run,) = runs(tmp_path / "wandb" / project).values()
        assert (
            dict(scores(run["summary"]))[result.metrics[0].key] == result.metrics[0].aggregate.value
        )


async def test_a_folder_named_wandb_where_one_works_is_not_taken_for_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)

    await deliver(tmp_path / "home", make_task_result(id="r1"))

    assert len(runs(tmp_path / "home")) == 1


async def test_a_cut_table_is_told_and_none_is_possible(tmp_path: Path) -> None:
    (cut,) = await deliver(tmp_path, make_task_result(id="r1"), max_table_rows=1)
    (none,) = await deliver(
        tmp_path, make_task_result(id="r2", model="fake/other"), max_table_rows=0
    )

    assert cut.note is not None
    assert "the first 1 of" in cut.note
    assert none.note is None
    assert runs(tmp_path)[run_id("fake/other")]["artifacts"] == []


async def test_the_conversation_of_several_turns_stands_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "data"))
    asked = make_request("Hello")
    turns = (
        Turn("model", asked, make_generation("Hi")),
        Turn("judge", make_request("Polite?"), make_generation("yes")),
    )
    talk = SampleResult(0, make_sample(), asked, make_generation("Hi"), {}, turns=turns)
    tracker = WandbTracker(WandbSettings(mode="offline"))
    await tracker.open(replace(run_info(tmp_path), samples=lambda result: [talk]))

    await tracker.deliver(make_task_result(id="r1"))

    await tracker.close()
    told = {row["conversation"] for row in staged_rows(tmp_path / "data")}
    assert told == {"[user] Hello\n[assistant] Hi\n[to judge] Polite?\n[judge] yes"}


async def test_nothing_is_written_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await deliver(tmp_path, make_task_result(id="r1"))

    assert capfd.readouterr() == ("", "")
