"""A run of a model that computes in process, and nothing else: what more cores are for.

`python -m benchmarks.burning HOME SAMPLES ACTORS` prints as JSON when each answer came, in seconds
on the clock of the machine; 0 actors is this process alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from llmeval_core.engine import SilentMeter, SilentProgress, TaskMeter
from llmeval_core.hooks import Generation, Mode, ModelInfo, Request
from llmeval_core.records import SampleResult
from llmeval_core.testing import FakeDataset, run_in

TURNS = 100_000
"""Length of the loop that stands for a model: a few milliseconds."""


def burn() -> int:
    """Compute for some milliseconds."""
    return sum(number * number for number in range(TURNS))


class Burning:
    """A provider of models that compute their answers, one at a time."""

    def describe(self, model: str) -> ModelInfo:
        """Tell that a copy serves few requests at once."""
        return ModelInfo("burning", frozenset[Mode]({"chat"}), max_concurrency=4)

    async def open(self, model: str) -> Burning:
        """Return the model, which is the provider itself."""
        return self

    async def generate(self, request: Request) -> Generation:
        """Compute."""
        return Generation((str(burn()),), n_prompt_tokens=1, n_completion_tokens=1)

    async def aclose(self) -> None:
        """Free nothing."""


class Stopwatch(SilentProgress, SilentMeter):
    """Notes when answers came."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def task_started(self, model: str, task: str, n_samples: int | None) -> TaskMeter:
        """Watch this task."""
        return self

    def sample_finished(self, result: SampleResult, *, n_under_way: int) -> None:
        """Note the time."""
        self.times.append(time.monotonic())


async def measure(home: Path, *, n_samples: int, n_actors: int) -> list[float]:
    """Run, and return when each answer came, seconds."""
    executors = {}
    if n_actors:
        # Late, because it is installed only where it is measured.
        from llmeval_ray_executor.executor import RayExecutor  # noqa: PLC0415
        from llmeval_ray_executor.settings import RaySettings  # noqa: PLC0415

        executors["ray"] = RayExecutor(RaySettings(actors=n_actors))
    watch = Stopwatch()
    await run_in(
        home,
        datasets={"fake": FakeDataset(n_samples)},
        models={"burning": Burning()},
        executors=executors,
        executor="ray" if n_actors else None,
        progress=watch,
    )
    return watch.times


def main() -> None:
    """Do as told and print the times."""
    home, n_samples, n_actors = sys.argv[1:]
    times = asyncio.run(measure(Path(home), n_samples=int(n_samples), n_actors=int(n_actors)))
    print(json.dumps(times))


if __name__ == "__main__":
    main()
