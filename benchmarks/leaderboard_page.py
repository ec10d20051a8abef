"""The leaderboard's page over HTTP: 100 models x 200 columns, as a browser gets it.

Bars: the first page under 300 KB and 150 ms, and 304 in a few milliseconds when nothing is new. Run
`python -m benchmarks.leaderboard_page`; `--models` and `--tasks` (of four metrics each) make it
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
        with serving(home) as port:
            measure(port, last=f"set{flags.tasks - 1:03}_0shot_{METRICS[-1]}")


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


def measure(port: int, *, last: str) -> None:
    """Fetch each page some times on one connection, and print what it took."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.perf_counter()
    _fetch(connection, _PAGES[0][1])
    print(f"{(time.perf_counter() - began) * 1000:6.0f} ms  the very first request")
    for name, path in _PAGES:
        path = path.format(last=last)
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            status, headers, body = _fetch(connection, path)
            times.append((time.perf_counter() - began) * 1000)
            assert status == 200, (path, status)
        packed = headers.get("content-encoding") == "gzip"
        whole = gzip.decompress(body) if packed else body
        print(
            f"{median(times):6.0f} ms, {len(body) / 1000:7,.0f} KB sent,"
            f" {len(whole) / 1000:7,.0f} KB unpacked  {name}"
        )
        if tag := headers.get("etag"):
            began = time.perf_counter()
            status, _, _ = _fetch(connection, path, {"If-None-Match": tag})
            print(f"{(time.perf_counter() - began) * 1000:6.0f} ms  again, unchanged: {status}")


def _fetch(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection.request(
        "GET", path, headers={"Accept": "text/html", "Accept-Encoding": "gzip", **(headers or {})}
    )
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    return response.status, found, response.read()


if __name__ == "__main__":
    main()
