"""Which processes are there, and waiting for things to happen to them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from plugins.proxies.mlflow_proxy.tests.route_server import MAX_WAIT_S


def keepers_of(home: Path) -> list[int]:
    """Name the keepers that write a folder's log; each leads a process group."""
    log = str(home / "mlflow-server.log").encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if log in words and b"llmeval_mlflow_proxy.embedded.keeper" in words:
                found.append(int(folder.name))
    return found


def group(leader: int) -> list[int]:
    """Name the living processes of a group."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            state, _, pgrp = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(pgrp) == leader and state != "Z":
                found.append(int(folder.name))
    return found


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
