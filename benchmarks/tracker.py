"""The MLflow tracker against the naive way, on a real server with 10, 1,000 and 10,000 runs.

Bars: an existing model's result at least 10 times faster than search_runs + start_run + log_metric
for each number, and flat from 10 to 10,000 runs. Run `python -m benchmarks.tracker`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from typing import get_args

from benchmarks.deliveries import (
    Way,
    a_way,
    counted_calls,
    naive,
    ours,
    result_for,
    seconds,
    wide_result,
)
from benchmarks.mlflow_server import MlflowServer, mlflow_server

WRITERS = 16


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[10, 1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=15, help="results each way and size")
    parser.add_argument("--metrics", type=int, default=10_000, help="metrics on one run")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, mlflow_server(Path(folder)) as server:
        with ours(server.url, Path(folder)) as bring:
            for number in range(30):  # a server that has just started is slow
                bring(result_for("load/first", number))
        existing_model(server, Path(folder), flags.runs, flags.rounds)
        many_metrics(server, Path(folder), flags.metrics)
        many_writers(server, Path(folder), flags.rounds)


def existing_model(server: MlflowServer, folder: Path, sizes: Iterable[int], rounds: int) -> None:
    """Print time and calls per result of 12 metrics and standard errors of a known model."""
    print(f"{'runs':>7}  {'way':20}{'ms a result':>12}{'calls':>7}{'llmeval is':>18}")
    for n_runs in sizes:
        server.fill(n_runs)
        figures = _existing(server, folder, rounds)
        for way, (time_s, calls) in figures.items():
            times = time_s / figures["llmeval"][0]
            ratio = "" if way == "llmeval" else f"{times:>10.1f} x faster"
            print(f"{n_runs:>7,}  {way:20}{time_s * 1000:>12.1f}{calls:>7.1f}{ratio:>18}")


def _existing(server: MlflowServer, folder: Path, rounds: int) -> dict[Way, tuple[float, float]]:
    """Return median seconds and mean calls of a result for each way, by turns.

    A shared machine is slow for a minute and fast the next; by turns, all ways see the same.
    The first result of a model is left out.
    """
    took: dict[Way, list[float]] = {way: [] for way in get_args(Way)}
    n_calls = dict.fromkeys(took, 0)
    with ExitStack() as stack:
        bring = {way: stack.enter_context(a_way(way, server.url, folder)) for way in took}
        calls = stack.enter_context(counted_calls())
        first = int(time.time())
        for number in range(first, first + rounds + 1):
            for way, times in took.items():
                calls.clear()
                time_s = seconds(partial(bring[way], result_for("load/model-3", number)))
                if number > first:
                    times.append(time_s)
                    n_calls[way] += len(calls)
    return {way: (median(took[way]), n_calls[way] / rounds) for way in took}


def many_metrics(server: MlflowServer, folder: Path, n_metrics: int) -> None:
    """Print what a result with very many metrics costs, and a small one after it."""
    naive_bring = naive(server.url, one_call_a_metric=False)
    naive_s = seconds(lambda: naive_bring(wide_result("load/naive-wide", 1, n_metrics)))
    with ours(server.url, folder) as bring:
        whole_s = seconds(lambda: bring(wide_result("load/wide", 1, n_metrics)))
        small_s = seconds(lambda: bring(result_for("load/wide", 2)))
    print(
        f"\n{n_metrics:,} metrics on one run: {whole_s:.2f} s (naive {naive_s:.2f} s); "
        f"12 more on that run: {small_s * 1000:.0f} ms"
    )


def many_writers(server: MlflowServer, folder: Path, rounds: int) -> None:
    """Print results a second of 16 processes that write to four models at once."""
    rates: dict[Way, float] = {}
    for way in ("llmeval", "naive, log_metrics"):
        rates[way] = _rate(way, server, folder, rounds)
    print(
        f"\n{WRITERS} writers at once: {rates['llmeval']:.1f} results/s "
        f"(naive {rates['naive, log_metrics']:.1f})"
    )


def _rate(way: Way, server: MlflowServer, folder: Path, rounds: int) -> float:
    fresh = multiprocessing.get_context("spawn")
    ready = fresh.Barrier(WRITERS + 1)
    writers = [
        fresh.Process(
            target=_write,
            args=(way, server.url, folder, number),
            kwargs={"rounds": rounds, "ready": ready},
        )
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    ready.wait()
    started = time.perf_counter()
    ready.wait()
    took_s = time.perf_counter() - started
    for writer in writers:
        writer.join()
    if any(writer.exitcode for writer in writers):
        raise SystemExit(f"a writer failed ({way})")
    return WRITERS * rounds / took_s


def _write(way: Way, url: str, folder: Path, number: int, *, rounds: int, ready: Barrier) -> None:
    with a_way(way, url, folder) as bring:
        ready.wait()
        for round_number in range(rounds):
            keys = tuple(f"writer{number}_0shot_metric{n}" for n in range(12))
            bring(result_for(f"load/model-{number % 4}", number * 1000 + round_number, keys))
        ready.wait()


if __name__ == "__main__":
    main()
