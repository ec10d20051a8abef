"""A finished run again: to the table, and scored with other metrics, one and six.

Bars: 3 s to the table for 100,000 samples, 10 s for 1,000,000 (`--samples 1000000`); 20,000 samples
a second with six cheap metrics. Scoring again asks the model nothing, so it is limited by the
metrics and the journal. The answers come from the `echo` model. Run `python -m benchmarks.resume`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.evaluation import evaluate
from benchmarks.samples import write_samples

ROUNDS = 3
SIX_METRICS = (
    "contains",
    "char_f1",
    "answer_format",
    "{use: exact_match, name: strict, normalize: none}",
    "{use: exact_match, name: squad, normalize: squad}",
    "{use: regex_match, pattern: '^[A-Z]'}",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    n = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as folder:
        questions, home = Path(folder) / "questions.jsonl", Path(folder) / "home"
        write_samples(questions, n)
        first = evaluate(questions, home=home, base_url=None)
        again = [evaluate(questions, home=home, base_url=None).wall_s for _ in range(ROUNDS)]
        one = evaluate(questions, home=home, base_url=None, metrics=["contains"])
        six = evaluate(questions, home=home, base_url=None, metrics=SIX_METRICS)
    bar_s = 3 if n <= 100_000 else 10
    print(f"{n:,} samples, first run   {first.wall_s:6.2f} s, {n / first.wall_s:7.0f} samples/s")
    print(f"the same command again  {median(again):6.2f} s (bar {bar_s}), median of {ROUNDS}")
    print(f"with another metric     {one.wall_s:6.2f} s, {n / one.wall_s:7.0f} samples/s")
    six_per_s = n / six.wall_s
    print(f"with six others         {six.wall_s:6.2f} s, {six_per_s:7.0f} samples/s (bar 20,000)")
    print(f"  CPU                   {six.cpu_s:6.2f} s, {n / six.cpu_s:7.0f} samples/s")


if __name__ == "__main__":
    main()
