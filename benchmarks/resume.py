"""A finished run again: to the table, and scored with other metrics, one and six.

Bars: 3 s to the table for 100,000 samples, 10 s for 1,000,000 (`--samples 1000000`); 20,000 samples
a second on one core with six cheap metrics, at the speed of the machine on which that bar was set
(see `benchmarks.yardstick`). Scoring again asks the model nothing, so it is limited by the metrics
and the journal. The answers come from the `echo` model. Run `python -m benchmarks.resume`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.evaluation import evaluate
from benchmarks.processes import on_one_core
from benchmarks.samples import write_samples
from benchmarks.yardstick import yardstick

ROUNDS = 3
SIX_METRICS = (
    "use: contains",
    "use: char_f1",
    "use: answer_format",
    "use: exact_match, normalize: none",
    "use: exact_match, normalize: squad",
    "use: regex_match, pattern: '^[A-Z]'",
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
        bar_s = 3 if n <= 100_000 else 10
        print(f"{n:,} samples, first run {first.wall_s:6.2f} s, {n / first.wall_s:.0f} samples/s")
        print(f"the same command again {median(again):6.2f} s (bar {bar_s}), median of {ROUNDS}")
        score_again(questions, home, n_samples=n)


def score_again(questions: Path, home: Path, *, n_samples: int) -> None:
    """Score with one other metric and with six, on one core, in turns with the yardstick."""
    one_per_s, six_per_s, scaled = [], [], []
    with yardstick() as stick:
        for number in range(ROUNDS):
            with on_one_core():
                # Under another name each time, so that nothing is scored already.
                one, six = (
                    evaluate(questions, home=home, base_url=None, metrics=named(metrics, number))
                    for metrics in (SIX_METRICS[:1], SIX_METRICS)
                )
            one_per_s.append(n_samples / one.wall_s)
            six_per_s.append(n_samples / six.wall_s)
            scaled.append(six_per_s[-1] * stick.lay_on())
    print(f"with another metric    {median(one_per_s):6.0f} samples/s on one core")
    print(f"with six others        {median(six_per_s):6.0f} samples/s on one core")
    print(f"  where bars were set  {median(scaled):6.0f} (bar 20,000)")
    print(f"{stick}")


def named(metrics: Sequence[str], number: int) -> list[str]:
    """Give each metric a name of this round."""
    return [f"{{{metric}, name: metric_{place}_{number}}}" for place, metric in enumerate(metrics)]


if __name__ == "__main__":
    main()
