"""A process that lets many others write to one model at once, and kills them at random.

It imports mlflow once and forks the writers. Each line on its standard input is a round, as JSON:
`{"uri", "home", "model", "writers", "kill", "seed"}`; it answers with `{"kills"}` when every
writer has delivered all of its results. A writer's clock is wrong by up to an hour. At each HTTP
call it may be killed, before the request leaves or after the answer came; its successor knows
only what was noted as delivered before.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import mlflow.tracking  # noqa: F401  here, so that the writers need not import it
import requests
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker

from llmeval_core.hooks import TaskResult
from llmeval_core.testing import make_task_result, run_info

MOST_KILLS = 12


def results_of(model: str, writer: int, now: float) -> list[TaskResult]:
    """Make a writer's results: one with a key of its own, one with a key that all write."""
    own: dict[str, float | None] = {"accuracy": writer / 100, "f1": writer / 200}
    return [
        make_task_result(
            id=f"{model} own {writer}",
            model=model,
            dataset=f"set{writer}",
            metrics=own,
            finished_at=now,
        ),
        make_task_result(
            id=f"{model} shared {writer}",
            model=model,
            dataset="shared",
            metrics={"accuracy": 1 + writer / 100},
            finished_at=now,
        ),
    ]


def write(order: dict[str, Any], writer: int, attempt: int) -> None:
    """Deliver what was not noted as delivered; the end is `os._exit` or a kill."""
    rng = random.Random(f"{order['seed']} {writer} {attempt}")
    offset_s = random.Random(f"{order['seed']} {writer}").uniform(-3600, 3600)
    true_time = time.time
    time.time = lambda: true_time() + offset_s
    if attempt < MOST_KILLS:
        _kill_at_random(rng, order["kill"])
    asyncio.run(_deliver(order, writer))
    os._exit(0)


def _kill_at_random(rng: random.Random, probability: float) -> None:
    send = requests.Session.request

    def dangerous(*args: Any, **more: Any) -> requests.Response:
        if rng.random() < probability / 2:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = send(*args, **more)
        if rng.random() < probability / 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    requests.Session.request = dangerous  # type: ignore[method-assign]


async def _deliver(order: dict[str, Any], writer: int) -> None:
    home = Path(order["home"])
    noted = home / f"delivered-{writer}"
    done = noted.read_text().splitlines() if noted.exists() else []
    tracker = MlflowTracker(MlflowSettings(tracking_uri=order["uri"], timeout_s=60))
    await tracker.open(run_info(home))
    for result in results_of(order["model"], writer, time.time()):
        if result.id not in done:
            await tracker.deliver(result)
            with noted.open("a") as file:
                file.write(f"{result.id}\n")
    await tracker.close()


def play(order: dict[str, Any]) -> int:
    """Run one round and return how many times a writer was killed."""
    kills = 0
    writers: dict[int, tuple[int, int]] = {}

    def start(writer: int, attempt: int) -> None:
        child = os.fork()
        if child == 0:
            try:
                write(order, writer, attempt)
            finally:
                os._exit(1)
        writers[child] = (writer, attempt)

    for number in range(order["writers"]):
        start(number, 0)
    while writers:
        child, status = os.wait()
        writer, attempt = writers.pop(child)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            kills += 1
            start(writer, attempt + 1)
        elif status != 0:
            raise SystemExit(f"writer {writer} failed in attempt {attempt}")
    return kills


def main() -> None:
    for line in sys.stdin:
        print(json.dumps({"kills": play(json.loads(line))}), flush=True)


if __name__ == "__main__":
    main()
