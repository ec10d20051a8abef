"""Which processes are there, and waiting for things to happen to them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from plugins.proxies.mlflow_proxy.tests.route_server import MAX_WAIT_S


def mlflow_processes(home: Path) -> list[int]:
    """Name the living processes of the MLflow server of a folder, known by their environment."""
    mark = f"MLFLOW_ARTIFACTS_DESTINATION={(home / 'mlartifacts').as_uri()}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def keeper_of(home: Path) -> int:
    """Name the process that ends the MLflow server of a folder when its parent ends."""
    (keeper,) = (
        pid
        for pid in mlflow_processes(home)
        if b"process_keeper.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return keeper


def has_child(parent: int, module: bytes) -> bool:
    """Tell whether a process has started another one that runs a module."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            ppid = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(ppid) == parent and module in (folder / "cmdline").read_bytes().split(b"\0"):
                return True
    return False


def wait_until(happened: Callable[[], bool], why: Callable[[], object] = lambda: "") -> None:
    """Wait for something to happen."""
    deadline = time.monotonic() + MAX_WAIT_S
    while not happened():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)
