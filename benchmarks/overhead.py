"""What llmeval costs beside the requests themselves, against the load server.

The whole process `llmeval run`: JSONL file, `openai_compatible`, exact_match, journal on. Bars:
at most 0.25 ms of CPU time a sample, at least 70 % of the requests a second of the bare aiohttp
client in the same round, first request within 0.6 s of process start, at most 120 MiB; times at the
speed of the machine on which these bars were set (see `benchmarks.yardstick`). Run
`python -m benchmarks.overhead`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.evaluation import CONCURRENCY, evaluate
from benchmarks.processes import Finished, Load, LoadServerProcess, load_server
from benchmarks.samples import write_samples
from benchmarks.yardstick import BARE_MS, run_bare


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--http", choices=("aiohttp", "asyncio"), default="asyncio")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.jsonl"
        write_samples(questions, flags.samples)
        compare(questions, n_samples=flags.samples, rounds=flags.rounds, http=flags.http)


def compare(questions: Path, *, n_samples: int, rounds: int, http: str) -> None:
    """Compare with the bare client, in turns."""
    cpu_ms, first_s, ratios, rates, bare_cpu_ms, peaks = [], [], [], [], [], []
    with load_server() as server:
        for _ in range(rounds):
            bare, bare_load = run_bare(server, questions, concurrency=CONCURRENCY)
            finished, load = run_llmeval(server, questions, concurrency=CONCURRENCY, http=http)
            cpu_ms.append(finished.cpu_s / n_samples * 1000)
            bare_cpu_ms.append(bare.cpu_s / n_samples * 1000)
            first_s.append(load.first_at - finished.started_at)
            rates.append(load.per_s)
            ratios.append(load.per_s / bare_load.per_s)
            peaks.append(finished.peak_mib)
        server_ms = server.stats().cpu_s / (2 * rounds * n_samples) * 1000
    print(
        f"{n_samples} samples, no latency, concurrency {CONCURRENCY}, http: {http},"
        f" median of {rounds} rounds"
    )
    slower = median(bare_cpu_ms) / BARE_MS
    print(f"  CPU a sample         {median(cpu_ms):6.3f} ms, whole process")
    print(f"    where bars were set{median(cpu_ms) / slower:6.3f} ms (bar 0.25)")
    print(f"    bare aiohttp       {median(bare_cpu_ms):6.3f} ms ({BARE_MS} where bars were set)")
    print(f"    load server        {server_ms:6.3f} ms")
    print(f"  requests/s           {median(rates):6.0f}")
    print(f"    of bare aiohttp's  {median(ratios):6.2f} (bar 0.70)")
    print(f"  first request after  {median(first_s):6.2f} s")
    print(f"    where bars were set{median(first_s) / slower:6.2f} s (bar 0.6)")
    print(f"  peak memory          {median(peaks):6.0f} MiB (bar 120)")


def run_llmeval(
    server: LoadServerProcess, questions: Path, *, concurrency: int, http: str
) -> tuple[Finished, Load]:
    """Evaluate once, on an empty journal."""
    server.reset()
    with tempfile.TemporaryDirectory() as home:
        finished = evaluate(
            questions,
            home=Path(home),
            base_url=server.base_url,
            concurrency=concurrency,
            http=http,
        )
    return finished, server.stats()


if __name__ == "__main__":
    main()
