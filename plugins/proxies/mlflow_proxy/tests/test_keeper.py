"""The keeper: nothing outlives the end of its input, and its log stays small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from plugins.proxies.mlflow_proxy.tests.process_checks import group, wait_until
from plugins.proxies.mlflow_proxy.tests.route_server import MAX_WAIT_S

KEEPER = [sys.executable, "-m", "llmeval_mlflow_proxy.embedded.keeper"]


def keep(log: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*KEEPER, str(log), *command], stdin=subprocess.PIPE, start_new_session=True
    )


def test_what_ignores_a_polite_end_is_ended_all_the_same(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; sleep 1000 & sleep 1000 & echo up; wait; wait"
    keeper = keep(tmp_path / "log", "sh", "-c", stubborn)
    wait_until(lambda: (tmp_path / "log").exists() and len(group(keeper.pid)) >= 4)

    keeper.communicate(timeout=MAX_WAIT_S)

    wait_until(lambda: not group(keeper.pid))


def test_its_exit_code_is_the_commands(tmp_path: Path) -> None:
    keeper = keep(tmp_path / "log", "sh", "-c", "echo said; echo also >&2; exit 3")

    assert keeper.wait(MAX_WAIT_S) == 3
    assert keeper.stdin is not None
    keeper.stdin.close()
    assert (tmp_path / "log").read_text() == "said\nalso\n"


def test_the_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    talk = "for number in range(60_000): print(f'line {number}', 'x' * 80)"
    keeper = keep(tmp_path / "log", sys.executable, "-c", talk)

    assert keeper.wait(MAX_WAIT_S) == 0
    assert keeper.stdin is not None
    keeper.stdin.close()

    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"log", "log.1"}
    assert max(sizes.values()) <= 1_000_000
    assert "line 59999 " in (tmp_path / "log").read_text()
