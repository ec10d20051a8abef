"""How near llmeval comes to what is possible when answers take time.

Possible are `concurrency / latency` requests a second, or what the bare aiohttp client reaches with
the same concurrency in the same round, if that is less. Bar: 90 % of it.
Run `python -m benchmarks.latency`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.overhead import run_llmeval
from benchmarks.processes import load_server
from benchmarks.samples import write_samples
from benchmarks.yardstick import run_bare

CASES = ((20, 64), (20, 256), (200, 64), (200, 1000))
"""Latency in ms, and concurrency."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--http", choices=("aiohttp", "asyncio"), default="asyncio")
    flags = parser.parse_args()
    print("latency  at once   requests/s   bare aiohttp's   of the possible (bar 90 %)")
    with tempfile.TemporaryDirectory() as folder:
        questions = Path(folder) / "questions.jsonl"
        write_samples(questions, flags.samples)
        for latency_ms, concurrency in CASES:
            measure(
                questions,
                latency_ms,
                concurrency=concurrency,
                rounds=flags.rounds,
                http=flags.http,
            )


def measure(questions: Path, latency_ms: int, *, concurrency: int, rounds: int, http: str) -> None:
    """Compare in turns, and print one line."""
    ideal_per_s = concurrency / latency_ms * 1000
    rates, bare_rates, shares = [], [], []
    with load_server(latency_ms=latency_ms) as server:
        for _ in range(rounds):
            _, bare = run_bare(server, questions, concurrency=concurrency)
            _, load = run_llmeval(server, questions, concurrency=concurrency, http=http)
            rates.append(load.per_s)
            bare_rates.append(bare.per_s)
            shares.append(load.per_s / min(ideal_per_s, bare.per_s))
    print(
        f"{latency_ms:4} ms {concurrency:10} {median(rates):11.0f} {median(bare_rates):14.0f}"
        f" {median(shares):14.0%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
