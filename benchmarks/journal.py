"""Finished samples a second that the journal makes durable: generation, sample and one score each.

Bar: 30,000 a second, at the speed of the machine on which it was set (see `benchmarks.yardstick`).
A commit counts when it is on disk, so the disk counts too: name it with `--folder`. Then what
reading such a sample back takes. Run `python -m benchmarks.journal`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.yardstick import yardstick
from llmeval_core.journal import Journal
from llmeval_core.journal.journal_writer import JournalWriter
from llmeval_core.naming import fingerprint
from llmeval_core.records import (
    Generation,
    GenerationSettings,
    Message,
    Request,
    Sample,
    SampleResult,
    Score,
)

ROUNDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, help="where the journal is made")
    flags = parser.parse_args()
    results = [make_result(index) for index in range(flags.samples)]
    rates, scaled, reads_s = [], [], []
    with yardstick() as stick:
        for _ in range(ROUNDS):
            write_s, read_s = write_and_read(results, flags.folder)
            rates.append(flags.samples / write_s)
            scaled.append(rates[-1] * stick.lay_on())
            reads_s.append(read_s / flags.samples)
    print(f"{median(rates):,.0f} samples/s durable, median of {ROUNDS}")
    print(f"where bars were set {median(scaled):,.0f} (bar 30,000)")
    print(f"{stick}")
    print(f"{min(reads_s) * 1e6:.1f} us of CPU to read a sample, least of {ROUNDS}")


def write_and_read(results: list[SampleResult], folder: Path | None) -> tuple[float, float]:
    """Write results to a new journal and read them back.

    Returns:
        How long writing took, seconds, and the processor's time for reading.
    """
    with tempfile.TemporaryDirectory(dir=folder) as home, Journal(Path(home)) as journal:
        task = journal.begin_task(
            "0" * 32, model="load/load", key="questions_0shot", metrics=["exact_match"]
        )
        writer = JournalWriter(journal.path)
        started = time.perf_counter()
        for result in results:
            writer.put(task, result)
        writer.flush().result()
        elapsed_s = time.perf_counter() - started
        writer.close()
        with journal.reader() as reader:
            began_s = time.process_time()
            n_read = sum(1 for _ in reader.sample_results(task.id))
            read_s = time.process_time() - began_s
    if n_read != len(results):
        raise AssertionError(f"{n_read} of {len(results)} samples were read")
    return elapsed_s, read_s


def make_result(index: int) -> SampleResult:
    """Make a sample that was asked, answered and scored."""
    question = f"Question {index}: which city is the capital of country number {index}?"
    request = Request(
        sample_id=f"sample-{index}",
        mode="chat",
        messages=(Message("user", question),),
        prompt="",
        continuations=(),
        settings=GenerationSettings(),
        fingerprint=fingerprint(index),
    )
    return SampleResult(
        index=index,
        sample=Sample(f"sample-{index}", question, ("Paris",)),
        request=request,
        generation=Generation(("Paris",), (), "stop", 20, 2, 0.01, "load"),
        scores={"exact_match": Score(1.0)},
    )


if __name__ == "__main__":
    main()
