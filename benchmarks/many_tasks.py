"""Many small tasks: what a plan, a run and the same run again cost beside the samples.

100 models x 50 tasks x 10 samples, answered by `echo`, which are 5,000 tasks; and 20 models, to see
whether cost grows with the work or faster. For each number of models, on an empty journal: `plan`,
`run`, the same `run` again, `plan` again, `results`. Bars for 5,000 tasks: 15 s for the run, 3 s
again, 3 s for a plan, 1 s for `results`, at the speed of the machine on which they were set (see
`benchmarks.yardstick`); and growth of at most 1.0: what it costs besides start-up, divided by the
work. Run `python -m benchmarks.many_tasks`; `--tracker jsonl` and `--tracker mlflow` deliver every
result too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import LLMEVAL, Finished, run
from benchmarks.yardstick import yardstick

STEPS = ("plan", "run", "run again", "plan again", "results")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is evaluated."""

    n_models: int
    n_tasks: int
    n_samples: int

    @property
    def n_results(self) -> int:
        """Tasks of all models together."""
        return self.n_models * self.n_tasks


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--tracker", action="append", default=[], metavar="NAME")
    flags = parser.parse_args()
    sizes = [Size(n_models, flags.tasks, flags.samples) for n_models in sorted(flags.models)]
    with yardstick() as stick:
        start_up = measure(Size(1, 1, 1), flags.tracker)
        measured = {}
        for size in sizes:
            slower = stick.lay_on()
            measured[size] = measure(size, flags.tracker)
            print_size(size, measured[size], slower=slower)
        for size in sizes[1:]:
            print_growth(sizes[0], size, measured, start_up)
        print(stick)


def measure(size: Size, trackers: Sequence[str]) -> dict[str, Finished]:
    """Go through all steps, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_file = write_run_file(folder, size, trackers)
        home = ("--home", str(folder / "home"))
        measured = {}
        for step in STEPS:
            command = step.partition(" ")[0]
            what = () if command == "results" else (str(run_file),)
            measured[step] = run(*LLMEVAL, command, *what, *home)
    return measured


def write_run_file(folder: Path, size: Size, trackers: Sequence[str]) -> Path:
    """Write data sets and a run file; every other sample is answered rightly by `echo`."""
    tasks = []
    for task in range(size.n_tasks):
        questions = folder / f"task{task:03}.jsonl"
        with questions.open("w", encoding="utf-8") as out:
            for sample in range(size.n_samples):
                asked = f"Question {sample} of task {task}: what is this?"
                right = asked if sample % 2 else "no"
                line = {"id": str(sample), "input": asked, "references": [right]}
                out.write(json.dumps(line) + "\n")
        tasks.append({"dataset": f"jsonl:{questions}"})
    run_file = folder / "run.yaml"
    config = {
        "models": [f"echo/model{number:03}" for number in range(size.n_models)],
        "tasks": tasks,
        "metrics": ["exact_match"],
        "trackers": list(trackers),
    }
    run_file.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML too
    return run_file


def print_size(size: Size, measured: dict[str, Finished], *, slower: float) -> None:
    """Print what each step took, and what that is where the bars were set."""
    print(
        f"{size.n_models} models x {size.n_tasks} tasks x {size.n_samples} samples"
        f" = {size.n_results:,} tasks"
    )
    print(f"  {'':12}{'wall':>8}{'CPU':>8}{'CPU there':>11}{'a task':>10}{'memory':>10}")
    for step, finished in measured.items():
        a_task_ms = finished.cpu_s / size.n_results * 1000
        print(
            f"  {step:12}{finished.wall_s:6.1f} s{finished.cpu_s:6.1f} s"
            f"{finished.cpu_s / slower:9.1f} s{a_task_ms:7.2f} ms{finished.peak_mib:6.0f} MiB"
        )


def print_growth(
    small: Size,
    large: Size,
    measured: dict[Size, dict[str, Finished]],
    start_up: dict[str, Finished],
) -> None:
    """Print how cost besides start-up grows with the work: 1.00 is exactly as the work does."""
    work = large.n_results / small.n_results
    print(f"growth from {small.n_models} to {large.n_models} models, {work:g} times the work")
    for step in STEPS:
        base_s = start_up[step].cpu_s
        of_small, of_large = (measured[size][step].cpu_s - base_s for size in (small, large))
        print(f"  {step:12}{of_large / of_small / work:8.2f}   start-up {base_s:.2f} s")


if __name__ == "__main__":
    main()
