"""The Ray executor on this machine: three workers against one local engine, and a lost node.

Three workers share the cores that there are, with the run itself and the load server. So what they
could reach is what the same work reaches without Ray in three processes side by side, measured in
the same round. Bars: at least 80 % of that; and with a node killed at 40 %, no more than 3 s in
which nothing is asked. Run `python -m benchmarks.ray`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TypeVar

from llmeval_ray_executor.cluster import LOCAL_ENVIRONMENT

from benchmarks.processes import LLMEVAL, ROOT, Finished, Server, load_server, run
from benchmarks.samples import write_samples

T = TypeVar("T")
WORKERS = 3
CONCURRENCY = 256
SPIN_S = 3.0
LOSS = ROOT / "plugins" / "executors" / "ray_executor" / "tests" / "lose_a_machine.py"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20_000, help="against the load server")
    parser.add_argument("--computed", type=int, default=3_000, help="of the model that computes")
    parser.add_argument("--rounds", type=int, default=3)
    flags = parser.parse_args()
    # Child processes find `benchmarks` and the tests' script; so do Ray's workers.
    os.environ["PYTHONPATH"] = str(ROOT)
    computing(n_samples=flags.computed, rounds=flags.rounds)
    asking(n_samples=flags.samples, rounds=flags.rounds)
    losing(rounds=flags.rounds)


def computing(*, n_samples: int, rounds: int) -> None:
    """Compare with a model that computes in process."""
    shares, gains, cores = [], [], []
    for _ in range(rounds):
        alone = _burn(n_samples // 2, n_actors=0)
        ray = _burn(n_samples, n_actors=WORKERS)
        one = sum(_side_by_side(1, _spin))
        cores.append(sum(_side_by_side(WORKERS, _spin)) / one)
        gains.append(ray / alone)
        shares.append(gains[-1] / cores[-1])
    print(f"a model that computes, {n_samples} samples, {WORKERS} workers, {rounds} rounds")
    print(f"  of one local engine     {median(gains):6.2f}")
    print(f"  the machine really has  {median(cores):6.2f} cores")
    print(f"  share                   {median(shares):6.2f} (bar 0.80)")


def asking(*, n_samples: int, rounds: int) -> None:
    """Compare with a server that answers at once."""
    rates, shares, gains = [], [], []
    with load_server() as server, tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.jsonl"
        write_samples(questions, n_samples)
        for _ in range(rounds):
            alone = _rate(server, questions, n=1)
            together = _rate(server, questions, n=WORKERS)
            ray = _rate(server, questions, n=1, executor=f"{{use: ray, actors: {WORKERS}}}")
            rates.append(ray)
            gains.append(together / alone)
            shares.append(ray / together)
    print(f"the load server, {n_samples} samples, concurrency {CONCURRENCY}, {rounds} rounds")
    print(f"  requests/s              {median(rates):6.0f}")
    print(f"  {WORKERS} local engines reach   {median(gains):6.2f} times one")
    print(f"  share                   {median(shares):6.2f} (bar 0.80)")


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


def _burn(n_samples: int, *, n_actors: int) -> float:
    with tempfile.TemporaryDirectory() as home:
        command = (sys.executable, "-m", "benchmarks.burning", "run", home)
        return float(run(*command, str(n_samples), str(n_actors)).output)


def _spin() -> float:
    return float(run(sys.executable, "-m", "benchmarks.burning", "spin", str(SPIN_S)).output)


def _rate(server: Server, questions: Path, *, n: int, executor: str = "null") -> float:
    """Run the same plan in so many processes at once; return requests a second in all."""
    server.reset()
    _side_by_side(n, lambda: _evaluate(server, questions, executor))
    return server.stats().per_s


def _evaluate(server: Server, questions: Path, executor: str) -> Finished:
    model = f"name: load/load, provider: openai_compatible, base_url: '{server.base_url}'"
    with tempfile.TemporaryDirectory() as home:
        run_file = Path(home) / "run.yaml"
        run_file.write_text(
            f"models: [{{{model}}}]\n"
            f"tasks: [{{dataset: 'jsonl:{questions}'}}]\n"
            "metrics: [exact_match]\n"
            f"concurrency: {CONCURRENCY}\n"
            f"executor: {executor}\n"
        )
        return run(*LLMEVAL, "run", run_file, "--home", home)


def _side_by_side(n: int, work: Callable[[], T]) -> list[T]:
    with ThreadPoolExecutor(n) as pool:
        return [done.result() for done in [pool.submit(work) for _ in range(n)]]


if __name__ == "__main__":
    main()
