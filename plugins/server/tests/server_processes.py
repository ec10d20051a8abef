"""A home folder for a server under test: processes that are really started, and really killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from llmeval_server.jobs.dbos_store import DbosJobStore, open_store
from llmeval_server.jobs.job_records import Job
from llmeval_server.server_settings import ServerSettings

from llmeval_core.api import Journal

PATIENCE_S = 240.0
_MAIN = "from llmeval_core.cli import main; main()"


def wait_until(done: Callable[[], object], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Poll until something is true."""
    give_up_at = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < give_up_at, f"never happened: {what}"
        time.sleep(0.02)


class ServerProcesses:
    """A home folder with its processes.

    Args:
        folder: everything lies in it.
        environ: of the processes.

    Attributes:
        before: what processes do before anything else.
    """

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.before = "pass"
        self.folder = folder
        self.home = folder / "home"
        self.asked_file = folder / "asked.txt"
        self.asked_file.touch()
        self.environ = environ
        self.settings = ServerSettings(home=self.home)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._outputs: dict[int, Path] = {}
        self._stores: list[DbosJobStore] = []

    def store(self, settings: ServerSettings | None = None) -> DbosJobStore:
        """Open the job store in this process."""
        store = open_store(settings or self.settings)
        self._stores.append(store)
        return store

    def run_file(
        self, n: int, *names: str, latency_s: float = 0.0, breaks: str = "", padding: int = 0
    ) -> dict[str, Any]:
        """Make a run of `n` sums for each data set name; Any: JSON."""
        model = {
            "name": "abacus/m",
            "asked": str(self.asked_file),
            "latency_s": latency_s,
            "breaks": breaks,
        }
        tasks = [
            {
                "dataset": {"use": f"sums:{n}", "name": name, "word": name, "padding": padding},
                "shots": [0],
            }
            for name in names or ("sums",)
        ]
        return {"models": [model], "tasks": tasks, "concurrency": 4}

    def asked(self) -> list[str]:
        """List what the model was asked, in order."""
        return self.asked_file.read_text().splitlines()

    def committed(self) -> set[str]:
        """Name the questions whose samples the journal has."""
        Journal(self.home).close()  # it may not be made yet
        with closing(sqlite3.connect(self.home / "journal.sqlite", timeout=30)) as connection:
            rows = connection.execute("SELECT input FROM samples WHERE generation IS NOT NULL")
            return {row[0].lstrip("_") for row in rows.fetchall()}

    def start(self, *args: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start `llmeval ARGS` here; Any: options of Popen."""
        path = self.folder / f"out-{len(self._processes)}.txt"
        with path.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", f"{self.before}; {_MAIN}", *args],
                cwd=self.folder,
                env={**self.environ, "LLMEVAL_HOME": str(self.home)},
                stdout=out,
                stderr=subprocess.STDOUT,
                **options,
            )
        self._processes.append(process)
        self._outputs[process.pid] = path
        return process

    def said(self, process: subprocess.Popen[bytes]) -> str:
        """Read what a process and its children have written so far."""
        return self._outputs[process.pid].read_text(encoding="utf-8")

    def start_worker(self, *args: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start `llmeval worker`; Any: options of Popen."""
        return self.start("worker", *args, **options)

    def wait_for_end(self, store: DbosJobStore, job_id: str) -> Job:
        """Return the job when it is over."""
        wait_until(lambda: store.get(job_id).is_over, f"the end of {store.get(job_id)}")
        return store.get(job_id)

    def log(self) -> str:
        """Read the server's log."""
        with contextlib.suppress(FileNotFoundError):
            return (self.home / "server.log").read_text()
        return ""

    def close(self) -> None:
        """Kill what still runs."""
        for store in self._stores:
            store.close()
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def descendants(pid: int) -> set[int]:
    """Find the processes that a process started, and those that these started."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            parents[int(status.parent.name)] = int(fields[1])
    found: set[int] = set()
    grew = True
    while grew:
        more = {child for child, parent in parents.items() if parent in found | {pid}} - found
        found |= more
        grew = bool(more)
    return found


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that ended and is not yet waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def worker_pid(home: Path) -> int | None:
    """Tell which process is the folder's worker."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(json.loads((home / "worker.json").read_text())["pid"])
        return pid if is_alive(pid) else None
    return None


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process so that it cannot say goodbye."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
