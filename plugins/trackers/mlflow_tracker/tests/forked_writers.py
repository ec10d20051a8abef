"""A process that imports MLflow once and forks others, which write to one model at once.

Importing MLflow takes seconds of a processor's time, a fork takes none. Each line on the standard
input is an order, as JSON, which is answered with a line when all processes have ended:

* `{"kind": "together", "uri", "home", "model", "writers"}`: each writer opens a tracker; when all
  have, each delivers one result. The answer is `{"exit_codes": [...]}`.
* `{"kind": "killed", "uri", "home", "model", "writers", "kill", "seed"}`: each writer delivers two
  results with a clock that is wrong by up to an hour. At each HTTP call it may be killed, before
  the request leaves or after the answer came; its successor knows only what was noted as
  delivered before. The answer is `{"kills"}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.store.tracking.sqlalchemy_store
import mlflow.tracking  # noqa: F401  here, so that the writers need not import it
import requests
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker

from llmeval_core.hooks import TaskResult
from llmeval_core.testing import make_task_result, run_info

MAX_KILLS = 12
Order = dict[str, Any]  # Any: JSON


def fork(work: Callable[[], None]) -> int:
    """Do something in another process, which ends with 0 if it succeeds; return its id."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001  the parent's frames must not run in the child
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def deliver_together(order: Order) -> Order:
    """Let all writers deliver at the same moment."""
    is_open, opened = os.pipe()
    waiting, go = os.pipe()

    async def deliver(writer: int) -> None:
        settings = MlflowSettings(tracking_uri=order["uri"] or None, timeout_s=60, stderr="none")
        tracker = MlflowTracker(settings)
        await tracker.open(run_info(Path(order["home"])))
        os.write(opened, b".")
        for descriptor in (opened, go):
            os.close(descriptor)
        await asyncio.to_thread(os.read, waiting, 1)  # returns when nobody can write any more
        await tracker.deliver(
            make_task_result(
                id=f"{order['model']} {writer}",
                model=order["model"],
                dataset=f"set{writer}",
                metrics={"accuracy": 0.5},
            )
        )
        await tracker.close()

    pids = [
        fork(lambda writer=number: asyncio.run(deliver(writer)))  # type: ignore[misc]
        for number in range(order["writers"])
    ]
    os.close(opened)
    n_open = 0
    while n_open < len(pids) and (dots := os.read(is_open, len(pids))):
        n_open += len(dots)
    for descriptor in (is_open, waiting, go):
        os.close(descriptor)
    return {"exit_codes": [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]}


def deliver_until_done(order: Order) -> Order:
    """Let writers be killed and replaced until all have delivered everything."""
    n_kills = 0
    writers: dict[int, tuple[int, int]] = {}

    def start(writer: int, attempt: int) -> None:
        writers[fork(lambda: write(order, writer, attempt))] = (writer, attempt)

    for number in range(order["writers"]):
        start(number, 0)
    while writers:
        pid, status = os.wait()
        writer, attempt = writers.pop(pid)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            n_kills += 1
            start(writer, attempt + 1)
        elif status != 0:
            raise SystemExit(f"writer {writer} failed in attempt {attempt}")
    return {"kills": n_kills}


def write(order: Order, writer: int, attempt: int) -> None:
    """Deliver what was not noted as delivered, unless killed before."""
    rng = random.Random(f"{order['seed']} {writer} {attempt}")
    offset_s = random.Random(f"{order['seed']} {writer}").uniform(-3600, 3600)
    true_time = time.time
    time.time = lambda: true_time() + offset_s
    if attempt < MAX_KILLS:
        _kill_at_random(rng, order["kill"])
    asyncio.run(_deliver(order, writer))


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


async def _deliver(order: Order, writer: int) -> None:
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


def main() -> None:
    """Follow orders until there are no more."""
    kinds = {"together": deliver_together, "killed": deliver_until_done}
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(kinds[order["kind"]](order)), flush=True)


if __name__ == "__main__":
    main()
