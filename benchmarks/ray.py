"""The Ray executor on this machine: three workers against one local engine, and a lost node.

The bar is 80 % of one local engine times the cores that the machine really has. What it really has
is told by the same work: as many local engines side by side as there are cores (no more than
workers), with as many samples in all. Ray's workers, Ray's own processes, the run and the load
server share these cores. A rate is that of the middle, from 3/10 to 9/10 of all answers, in each
case: what takes place once, to start processes and to end them, is left out on both sides. All are
measured in turn, in each round; printed are medians. With a node killed at 40 %, the bar is 3 s in
which nothing is asked. Run `python -m benchmarks.ray`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from llmeval_ray_executor.cluster import LOCAL_ENVIRONMENT

from benchmarks.cpu import cpu_s
from benchmarks.processes import LLMEVAL, ROOT, Finished, LoadServerProcess, load_server, run
from benchmarks.samples import write_samples

T = TypeVar("T")
WORKERS = 3
CONCURRENCY = 256
LOOK_S = 0.1
"""How often the load server is asked what it has answered, seconds."""
LOSS = ROOT / "plugins" / "executors" / "ray_executor" / "tests" / "lose_a_machine.py"


@dataclass(frozen=True, slots=True)
class Look:
    """How far it is.

    Args:
        at_s: by the monotonic clock, seconds.
        n_answers: what the load server has answered.
        cpu_s: what each kind of process has taken, seconds; empty if nobody asked.
    """

    at_s: float
    n_answers: int
    cpu_s: dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20_000, help="against the load server")
    parser.add_argument("--computed", type=int, default=3_000, help="of the model that computes")
    parser.add_argument("--rounds", type=int, default=5)
    flags = parser.parse_args()
    # Child processes find `benchmarks` and the tests' script; so do Ray's workers.
    os.environ["PYTHONPATH"] = str(ROOT)
    computing(n_samples=flags.computed, rounds=flags.rounds)
    asking(n_samples=flags.samples, rounds=flags.rounds)
    losing(rounds=flags.rounds)


def computing(*, n_samples: int, rounds: int) -> None:
    """Compare with a model that computes in process."""
    print(f"a model that computes, {n_samples} samples, {rounds} rounds")
    _compare(
        rounds,
        engines=lambda n: _middle(sorted(itertools.chain(*_burn(n_samples // n, n=n)))),
        workers=lambda: _middle(*_burn(n_samples, n_actors=WORKERS)),
    )


def asking(*, n_samples: int, rounds: int) -> None:
    """Compare with a server that answers at once."""
    print(f"the load server, {n_samples} samples, concurrency {CONCURRENCY}, {rounds} rounds")
    executor = f"{{use: ray, actors: {WORKERS}}}"
    with load_server() as server, tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.jsonl"
        write_samples(questions, n_samples)
        _compare(
            rounds,
            engines=lambda n: _rate(server, questions, n_samples // n, n=n),
            workers=lambda: _rate(server, questions, n_samples, executor=executor),
        )
        for each in ("null", executor):
            _print_cpu(server, questions, n_samples, executor=each)


def _compare(rounds: int, *, engines: Callable[[int], float], workers: Callable[[], float]) -> None:
    """Measure so many local engines side by side, and the workers, in turn; print."""
    n_engines = min(WORKERS, os.cpu_count() or 1)
    alone, together, ray = [], [], []
    for _ in range(rounds):
        alone.append(engines(1))
        ray.append(workers())
        together.append(engines(n_engines))
    shares = [one / other for one, other in zip(ray, together, strict=True)]
    cores = [one / other for one, other in zip(together, alone, strict=True)]
    print(f"  one local engine           {median(alone):6.0f} samples/s")
    print(f"  {n_engines} local engines            {median(together):6.0f} samples/s")
    print(f"  the machine really has     {median(cores):6.2f} cores")
    print(f"  {WORKERS} workers                  {median(ray):6.0f} samples/s")
    print(f"  share                      {median(shares):6.2f} (bar 0.80), each {_listed(shares)}")


def losing(*, rounds: int) -> None:
    """Kill one of three nodes at 40 % of 1,000 samples."""
    gaps, repeated = [], []
    os.environ.update(LOCAL_ENVIRONMENT, RAY_AUTH_MODE="disabled")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            told = json.loads(run(sys.executable, LOSS, folder).output.splitlines()[-1])
        assert told["n_samples"] == 1000
        gaps.append(told["longest_gap_s"])
        repeated.append(told["repeated"])
    print(f"a node of three killed at 40 % of 1,000 samples, {rounds} rounds")
    print(f"  longest gap             {median(gaps):6.2f} s (bar 3), at most {max(gaps):.2f} s")
    print(f"  requests repeated       {median(repeated):6.0f}")


def _burn(n_samples: int, *, n: int = 1, n_actors: int = 0) -> list[list[float]]:
    """Run so many at once; return when the answers of each came, seconds."""

    def run_one() -> list[float]:
        with tempfile.TemporaryDirectory() as home:
            command = (sys.executable, "-m", "benchmarks.burning", home)
            times: list[float] = json.loads(run(*command, str(n_samples), str(n_actors)).output)
            return times

    return _side_by_side(n, run_one)


def _middle(times: Sequence[float]) -> float:
    """Say how many answers a second there were in the middle."""
    first, last = len(times) * 3 // 10, len(times) * 9 // 10
    return (last - first) / (times[last] - times[first])


def _rate(
    server: LoadServerProcess,
    questions: Path,
    n_samples: int,
    *,
    n: int = 1,
    executor: str = "null",
) -> float:
    """Run the same in so many processes at once; return requests a second in the middle."""
    began, ended = _look_at_the_middle(server, questions, n_samples, n=n, executor=executor)
    return (ended.n_answers - began.n_answers) / (ended.at_s - began.at_s)


def _print_cpu(
    server: LoadServerProcess, questions: Path, n_samples: int, *, executor: str
) -> None:
    """Run once more, and print what each kind of process took in the middle."""
    began, ended = _look_at_the_middle(server, questions, n_samples, executor=executor, spent=cpu_s)
    n, elapsed_s = ended.n_answers - began.n_answers, ended.at_s - began.at_s
    print(f"  CPU of a sample at {n / elapsed_s:.0f} samples/s, {executor}")
    for kind, before in began.cpu_s.items():
        spent = ended.cpu_s[kind] - before
        print(f"    {kind:24} {1000 * spent / n:6.3f} ms, {spent / elapsed_s:.2f} cores")


def _look_at_the_middle(
    server: LoadServerProcess,
    questions: Path,
    n_samples: int,
    *,
    n: int = 1,
    executor: str = "null",
    spent: Callable[[], dict[str, float]] = dict,
) -> tuple[Look, Look]:
    """Run the same in so many processes at once; return where the middle began and ended."""
    server.reset()
    looks: list[Look] = []
    with ThreadPoolExecutor(n) as pool:
        running = [pool.submit(_evaluate, server, questions, n_samples, executor) for _ in range(n)]
        while not all(done.done() for done in running):
            looks.append(Look(time.monotonic(), server.stats().n_requests, spent()))
            time.sleep(LOOK_S)
        for done in running:
            done.result()
    n_all = server.stats().n_requests
    middle = [look for look in looks if 3 * n_all <= 10 * look.n_answers <= 9 * n_all]
    return middle[0], middle[-1]


def _evaluate(
    server: LoadServerProcess, questions: Path, n_samples: int, executor: str
) -> Finished:
    model = f"name: load/load, provider: openai_compatible, base_url: '{server.base_url}'"
    with tempfile.TemporaryDirectory() as home:
        run_file = Path(home) / "run.yaml"
        run_file.write_text(
            f"models: [{{{model}}}]\n"
            f"tasks: [{{dataset: 'jsonl:{questions}'}}]\n"
            "metrics: [exact_match]\n"
            f"limit: {n_samples}\n"
            f"concurrency: {CONCURRENCY}\n"
            f"executor: {executor}\n"
        )
        return run(*LLMEVAL, "run", run_file, "--home", home)


def _listed(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _side_by_side(n: int, work: Callable[[], T]) -> list[T]:
    with ThreadPoolExecutor(n) as pool:
        return [done.result() for done in [pool.submit(work) for _ in range(n)]]


if __name__ == "__main__":
    main()
