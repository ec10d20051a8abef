"""Ctrl-C and plugins that hang: a run always comes to an end, and says what is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.conftest import CountingServer, Project

if TYPE_CHECKING:
    from tests.conftest import PluginFolder

SLOW_TO_PLAN = """
import time
from llmeval_core.hooks import Component, Settings, TaskDefaults, hookimpl
class Slow:
    name, defaults = "slow", TaskDefaults(answer_by="generation")
    def samples(self): return iter(())
    def few_shot_pool(self): return iter(())
    def size(self): return None
    def fingerprint(self):
        print("planning", flush=True)
        time.sleep(60)
@hookimpl
def llmeval_register_datasets():
    yield Component("slow", Settings, lambda settings: Slow(), "is read for a minute")
"""
SLOW_TO_OPEN = """
import asyncio
from llmeval_core.hooks import Component, ModelInfo, Settings, hookimpl
class Slow:
    def describe(self, model): return ModelInfo("slow", frozenset({"chat"}))
    async def open(self, model):
        print("opening", flush=True)
        await asyncio.sleep(60)
@hookimpl
def llmeval_register_models():
    yield Component("slow", Settings, lambda settings: Slow(), "is opened for a minute")
"""
HANGS_IN_A_THREAD = """
import asyncio, threading
from llmeval_core.hooks import Component, Settings, hookimpl
class Hanging:
    async def open(self, run):
        await asyncio.to_thread(threading.Event().wait)
    async def deliver(self, result): raise AssertionError
    async def close(self): pass
@hookimpl
def llmeval_register_trackers():
    yield Component("hanging", Settings, lambda settings: Hanging(), "never opens")
"""


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from llmeval_core.cli import main; main()", "run", *args],
        cwd=folder,
        env={**os.environ, "LLMEVAL_STRICT_PLUGINS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupt_after(line: str, process: subprocess.Popen[str]) -> tuple[str, float]:
    """Send SIGINT once a line was printed; return what came on stderr, and the seconds it took."""
    assert process.stderr is not None
    while (told := process.stderr.readline()) != line + "\n":
        assert told, "it ended before"
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, err = process.communicate(timeout=30)
    return err, time.monotonic() - started


def test_ctrl_c_while_planning_ends_at_once(plugin_folder: PluginFolder, tmp_path: Path) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("slow", SLOW_TO_PLAN)

    process = start(tmp_path, "-m", "atlas/any", "-d", "slow", "--metric", "exact")
    err, elapsed = interrupt_after("planning", process)

    assert (process.returncode, err.strip()) == (130, "interrupted")
    assert elapsed < 5


def test_ctrl_c_while_a_model_is_opened_does_not_wait_for_it(
    plugin_folder: PluginFolder, tmp_path: Path
) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("slow", SLOW_TO_OPEN)

    process = start(tmp_path, "-m", "slow/x", "-d", "capitals", "--quiet")
    err, elapsed = interrupt_after("opening", process)

    assert process.returncode == 130
    assert "Traceback" not in err
    assert elapsed < 5


def test_a_tracker_whose_thread_hangs_does_not_keep_the_process(
    plugin_folder: PluginFolder, tmp_path: Path
) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("hanging", HANGS_IN_A_THREAD)
    (tmp_path / "eval.yaml").write_text(
        "models: [atlas/any]\ntasks: [{dataset: 'capitals:3'}]\ntrackers: [hanging]\n"
        "timeouts: {delivery_s: 0.2}\n",
        encoding="utf-8",
    )

    process = start(tmp_path, "eval.yaml", "--quiet")
    out, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert (
        "hanging: 1 result waits in the journal (no answer within 0.2 s);"
        " `llmeval sync` delivers them\n"
    ) in out
    assert err == ""


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(
    project: Project, server: CountingServer
) -> None:
    process = start(project.folder, "eval.yaml")
    server.wait_for(20)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert out.splitlines()[-1] == (
        "interrupted: finished samples are kept in .llmeval; run again to go on"
    )
    assert "stopping: requests under way may finish; Ctrl-C again stops at once\n" in err
