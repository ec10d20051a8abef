"""How slow this machine is just now, against the one on which bars in seconds were set.

There, one request of the bare aiohttp client cost 0.105 ms of CPU (10,000 of them, start-up and
all). Shared machines are several times slower in one minute than in another, so the yardstick is
laid on in turns with what is measured.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.processes import Finished, Load, LoadServerProcess, load_server, run
from benchmarks.samples import write_samples

BARE_MS = 0.105
N_REQUESTS = 10_000
CONCURRENCY = 64


class Yardstick:
    """Measures bare requests, again and again."""

    def __init__(self, server: LoadServerProcess, questions: Path) -> None:
        self._server = server
        self._questions = questions
        self._bare_ms: list[float] = []

    def lay_on(self) -> float:
        """Return by how much the machine is slower just now than where the bars were set."""
        bare, _ = run_bare(self._server, self._questions, concurrency=CONCURRENCY)
        self._bare_ms.append(bare.cpu_s / N_REQUESTS * 1000)
        return self._bare_ms[-1] / BARE_MS

    def __str__(self) -> str:
        bare_ms = median(self._bare_ms)
        return f"yardstick: bare aiohttp {bare_ms:.3f} ms of CPU a request, {BARE_MS} then"


def run_bare(
    server: LoadServerProcess, questions: Path, *, concurrency: int
) -> tuple[Finished, Load]:
    """Ask every question of a file with the bare client."""
    server.reset()
    command = (sys.executable, "-m", "benchmarks.bare_client", server.base_url)
    return run(*command, questions, str(concurrency)), server.stats()


@contextmanager
def yardstick() -> Iterator[Yardstick]:
    """Start what the yardstick needs."""
    with load_server() as server, tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.jsonl"
        write_samples(questions, N_REQUESTS)
        yield Yardstick(server, questions)
