"""What is left of a child process when its parent is killed: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llmeval_core.support import descendants, kill_process_tree
from tests.core.support.children import family, is_alive, pids_in, wait_until

ROOT = Path(__file__).parents[3]
PARENT = """
import asyncio, os, sys, time
from pathlib import Path
from llmeval_core.support import BlockingChildProcess, ChildProcess
from tests.core.support.children import family
if sys.argv[2] == "blocking":
    child = BlockingChildProcess(family(Path(sys.argv[1])))
    time.sleep(600)
async def main():
    child = await ChildProcess.start(family(Path(sys.argv[1])))
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.parametrize("face", ["blocking", "async"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_with_all_that_it_started_is_gone_when_its_parent_is(
    tmp_path: Path, face: str, number: int
) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), face], cwd=ROOT) as parent:
        wait_until(lambda: len(pids_in(tmp_path)) == 3)

        parent.send_signal(number)

    wait_until(lambda: not [pid for pid in pids_in(tmp_path) if is_alive(pid)])


def test_a_copy_of_the_parent_that_holds_the_line_open_does_not_save_the_child(
    tmp_path: Path,
) -> None:
    forking = PARENT.replace("time.sleep(600)", "os.fork(); time.sleep(600)", 1)

    with subprocess.Popen(
        [sys.executable, "-c", forking, str(tmp_path), "blocking"], cwd=ROOT, start_new_session=True
    ) as parent:
        wait_until(lambda: len(pids_in(tmp_path)) == 3)
        parent.kill()
    wait_until(lambda: not [pid for pid in pids_in(tmp_path) if is_alive(pid)])

    os.killpg(parent.pid, signal.SIGKILL)


def test_a_tree_of_processes_is_found_and_killed_but_for_one(tmp_path: Path) -> None:
    with subprocess.Popen(list(family(tmp_path).argv)) as first:
        wait_until(lambda: len(pids_in(tmp_path)) == 3)
        others = descendants(first.pid)
        (last,) = descendants(max(others)) or {max(others)}

        kill_process_tree(first.pid, spare=last)

        wait_until(lambda: [pid for pid in pids_in(tmp_path) if is_alive(pid)] == [last])
        os.kill(last, signal.SIGKILL)

    assert others | {first.pid} == set(pids_in(tmp_path))
