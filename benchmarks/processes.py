"""Child processes and what they cost: wall time, CPU time, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LLMEVAL = (sys.executable, "-c", "from llmeval_core.cli import main; main()")
"""What the installed `llmeval` script does, in this very Python."""
_ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""Installations have their bytecode; without it, start-up compiles 350 files each time."""
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended well.

    Args:
        started_at: seconds since 1970.
        wall_s: its duration, seconds.
        cpu_s: CPU time of all its threads, in user and system mode, seconds.
        peak_mib: most memory that it had resident, MiB.
        output: its standard output.
    """

    started_at: float
    wall_s: float
    cpu_s: float
    peak_mib: float
    output: str


def run(*command: str | Path, cwd: Path = ROOT) -> Finished:
    """Run a command to its end and measure it.

    Raises:
        SystemExit: it failed; what it wrote is shown.
    """
    with tempfile.TemporaryFile() as errors:
        started_at, started = time.time(), time.perf_counter()
        child = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=errors, env=_ENVIRONMENT
        )
        assert child.stdout is not None
        output = child.stdout.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
        if child.returncode != 0:
            errors.seek(0)
            told = errors.read().decode()
            raise SystemExit(f"{command} exited with {child.returncode}\n{output}{told}")
    return Finished(
        started_at=started_at,
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss * _RSS_UNIT_BYTES / 2**20,
        output=output,
    )


class MeasuredProcess:
    """A child process that serves at a port of loopback."""

    def __init__(self, child: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._proc = Path(f"/proc/{child.pid}")

    def cpu_s(self) -> float:
        """CPU time of the process so far, seconds."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def mib(self, what: str) -> float:
        """Memory that is resident (VmRSS), or was at most (VmHWM), MiB."""
        lines = (self._proc / "status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


@contextmanager
def on_one_core() -> Iterator[None]:
    """Let this process and its children run on one core only, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Load:
    """What the load server saw.

    Args:
        n_requests: how many came.
        first_at, last_at: when the first came and the last answer left, seconds since 1970.
        cpu_s: CPU time of the server since it started, seconds.
    """

    n_requests: int
    first_at: float
    last_at: float
    cpu_s: float

    @property
    def elapsed_s(self) -> float:
        """How long it all took, from the first request to the last answer, seconds."""
        return self.last_at - self.first_at

    @property
    def per_s(self) -> float:
        """Requests a second in that time."""
        return self.n_requests / self.elapsed_s


@dataclass(frozen=True, slots=True)
class LoadServerProcess:
    """A load server in a process of its own."""

    port: int

    @property
    def base_url(self) -> str:
        """What an OpenAI client calls its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> Load:
        """Read what came in since the last `reset`."""
        return Load(**self._ask("stats"))

    def reset(self) -> None:
        """Forget what came in."""
        self._ask("reset")

    def _ask(self, what: str) -> dict[str, Any]:  # Any: JSON
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{what}", timeout=10) as answer:
            stats: dict[str, Any] = json.load(answer)
        return stats


@contextmanager
def load_server(*, latency_ms: float = 0.0) -> Iterator[LoadServerProcess]:
    """Run `benchmarks/server.py` while the block lasts."""
    command = (sys.executable, "-m", "benchmarks.server", "--latency-ms", str(latency_ms))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            yield LoadServerProcess(int(child.stdout.readline()))
        finally:
            child.terminate()
