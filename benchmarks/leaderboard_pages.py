"""The leaderboard's page over HTTP: 100 models x 200 columns, as a browser gets it.

Bars: the first page under 300 KB and 150 ms, and 304 in a few milliseconds when nothing is new. Run
`python -m benchmarks.leaderboard_pages`; `--models` and `--tasks` (of four metrics each) make it
larger or smaller, `--journal FOLDER` keeps the journal there, and uses it if it is there.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.processes import MeasuredProcess
from benchmarks.served import serving
from llmeval_core.journal import DeliveryRepository, Journal
from llmeval_core.records import Aggregate, MetricResult, TaskResult

METRICS = ("exact_match", "char_f1", "rouge_l", "accuracy")
CATEGORIES = ("a", "b", "c")
ROUNDS = 9
_BEGAN_AT = 1_700_000_000.0
_PAGES = (
    ("the first page", "/leaderboard"),
    ("sorted by its last column", "/leaderboard?sort={last}"),
    ("two models", "/leaderboard?model=load/model-001&model=load/model-002"),
    ("one data set", "/leaderboard?dataset=set007"),
    ("with categories", "/leaderboard?categories=true"),
    ("as JSON", "/api/v1/leaderboard"),
    ("as CSV", "/api/v1/leaderboard?format=csv"),
    ("the home page", "/"),
)


def main() -> None:
    """Make the journal, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--journal", type=Path, help="the folder of the journal")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home: Path = flags.journal or Path(folder)
        if not (home / "journal.sqlite").exists():
            write(home, n_models=flags.models, n_tasks=flags.tasks)
        with serving(home) as server:
            measure(server, last=f"set{flags.tasks - 1:03}_0shot_{METRICS[-1]}")


def write(home: Path, *, n_models: int, n_tasks: int) -> None:
    """Make the journal: each model has a result of each task."""
    with Journal(home) as journal:
        for result in make_results(n_models, n_tasks):
            journal.deliveries(DeliveryRepository.save, result, ())


def make_results(n_models: int, n_tasks: int) -> Iterator[TaskResult]:
    """Make the results; of every seventh some samples failed, and some were cut off."""
    chance = random.Random(1)
    for model in range(n_models):
        for task in range(n_tasks):
            name = f"set{task:03}"
            n_failed = chance.randint(1, 9) if chance.random() < 1 / 7 else 0
            n_cut = chance.randint(1, 9) if chance.random() < 1 / 7 else 0
            yield TaskResult(
                id=f"{model}-{task}",
                model=f"load/model-{model:03}",
                task=f"{name}_0shot",
                dataset=name,
                dataset_fingerprint=name,
                n_shots=0,
                task_fingerprint=f"{model}-{task}",
                plan_fingerprint="plan",
                metrics=tuple(_metrics(f"{name}_0shot", chance, n_failed)),
                n_samples=500,
                n_failed=n_failed,
                n_prompt_tokens=50_000,
                n_completion_tokens=5_000,
                started_at=_BEGAN_AT + task,
                finished_at=_BEGAN_AT + task + 1,
                settings={"limit": None, "mode": "chat"},
                llmeval_version="0",
                outcomes={"answered": 500 - n_failed - n_cut, "truncated": n_cut}
                | ({"failed": n_failed} if n_failed else {}),
                n_total=500,
            )


def _metrics(task: str, chance: random.Random, n_failed: int) -> Iterator[MetricResult]:
    for category in (None, *CATEGORIES):
        for metric in METRICS:
            value = chance.random()
            key = f"{task}_{metric}"
            yield MetricResult(
                key=key if category is None else f"{key}/{category}",
                metric=metric,
                definition=f"{metric}@load",
                higher_is_better=True,
                category=category,
                aggregate=Aggregate(
                    value=value,
                    stderr=0.02,
                    n_scored=500 - n_failed,
                    n_failed=n_failed,
                    interval=(max(0.0, value - 0.04), min(1.0, value + 0.04)),
                ),
            )


def measure(server: MeasuredProcess, *, last: str) -> None:
    """Fetch each page some times on one connection, and print what it took."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    print(f"{_Timed(server, connection, _PAGES[0][1])}  the very first request")
    for name, address in _PAGES:
        path = address.format(last=last)
        rounds = [_Timed(server, connection, path) for _ in range(ROUNDS)]
        assert {one.status for one in rounds} == {200}, path
        wall_ms, cpu_ms = (
            median(one.wall_ms for one in rounds),
            median(one.cpu_ms for one in rounds),
        )
        body = rounds[0].body
        packed = rounds[0].headers.get("content-encoding") == "gzip"
        whole = gzip.decompress(body) if packed else body
        print(
            f"{wall_ms:6.0f} ms, {cpu_ms:5.0f} ms of CPU, {len(body) / 1000:7,.0f} KB sent,"
            f" {len(whole) / 1000:7,.0f} KB unpacked  {name}"
        )
        if tag := rounds[0].headers.get("etag"):
            again = _Timed(server, connection, path, {"If-None-Match": tag})
            print(f"{again}  again, unchanged: {again.status}")


class _Timed:
    """One request, and what it took: wall time, and CPU time of the server."""

    def __init__(
        self,
        server: MeasuredProcess,
        connection: http.client.HTTPConnection,
        path: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        given = {"Accept": "text/html", "Accept-Encoding": "gzip", **(headers or {})}
        began, began_cpu_s = time.perf_counter(), server.cpu_s()
        connection.request("GET", path, headers=given)
        response = connection.getresponse()
        self.body = response.read()
        self.wall_ms = (time.perf_counter() - began) * 1000
        self.cpu_ms = (server.cpu_s() - began_cpu_s) * 1000
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    def __str__(self) -> str:
        return f"{self.wall_ms:6.0f} ms, {self.cpu_ms:5.0f} ms of CPU"


if __name__ == "__main__":
    main()
