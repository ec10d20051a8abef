"""The containers for real: built, started, killed in the middle of a job, backed up, restored.

    python -m tests.compose.stage [--work FOLDER] [--only SQLite|PostgreSQL]

Needs root on Debian, or an engine that runs; else it says why it is skipped. `.ci/run` calls it if
LLMEVAL_COMPOSE=1.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.compose.base_images import POSTGRES, provide_base_images
from tests.compose.client import Client
from tests.compose.engine import NoEngineError, engine
from tests.compose.shell import StepError, step, wait_for
from tests.compose.stack import Stack, build_images, stack

N_SAMPLES = 1_500
MODELS = ["echo/parrot", "echo/cockatoo"]
METRIC = "numbers_0shot_accuracy"
PASSWORD = "a-password-of-the-stage"
ON_POSTGRES = {
    "COMPOSE_PROFILES": "postgres",
    "POSTGRES_IMAGE": POSTGRES,
    "POSTGRES_PASSWORD": PASSWORD,
    "LLMEVAL_JOBS_URL": f"postgresql://llmeval:{PASSWORD}@postgres:5432/jobs",
    "MLFLOW_BACKEND_STORE_URI": f"postgresql://llmeval:{PASSWORD}@postgres:5432/mlflow",
}


def main() -> None:
    """Run the whole stage, on SQLite and on PostgreSQL."""
    parser = argparse.ArgumentParser(description="the containers for real")
    parser.add_argument("--work", type=Path, help="keep the engine's images in this folder")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"], help="only with this one")
    arguments = parser.parse_args()
    chosen: Path | None = arguments.work
    with tempfile.TemporaryDirectory(prefix="llmeval-", ignore_cleanup_errors=True) as temporary:
        work = chosen or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        try:
            with step("the whole stage"), engine(work) as running:
                provide_base_images(running, work)
                build_images(running)
                for name, settings in (("SQLite", {}), ("PostgreSQL", ON_POSTGRES)):
                    if arguments.only not in (None, name):
                        continue
                    with step(f"with {name}"), stack(running, work, settings) as containers:
                        try_out(containers, work / f"backup-{name}")
        except NoEngineError as reason:
            print(f"compose: skipped: {reason}")


def try_out(containers: Stack, backup: Path) -> None:
    """Do with a stack what a team does in a year."""
    client = Client(containers.url, containers.token)
    write_numbers(containers.data / "numbers.jsonl", n_right=N_SAMPLES // 2)
    with step("start"):
        containers.up()
    with step("a job, with each container killed in its middle"):
        job = client.submit(run_file(latency_s=0.1))
        services = ["worker", "api", "mlflow"]
        if "POSTGRES_PASSWORD" in containers.env:
            services.append("postgres")
        for part, service in enumerate(services, start=1):
            client.wait_for_samples(job, part * N_SAMPLES // 4)
            containers.crash(service)
        ended = client.wait_for_end(job)
    expect("succeeded", ended["state"])
    expect(2 * N_SAMPLES, client.n_done(job))
    expect_leaderboard(client, 0.5)
    told = [line for line in containers.compose("logs", "api").splitlines() if "MLflow" in line]
    if not told:
        raise StepError("the log of `api` says nothing of MLflow")
    print(f"compose: the last line of `logs api | grep MLflow`: {told[-1]}")

    with step("the same again, with other answers"):
        write_numbers(containers.data / "numbers.jsonl", n_right=N_SAMPLES)
        client.wait_for_end(client.submit(run_file(latency_s=0)))
    expect_leaderboard(client, 1.0)

    with step("back up, delete everything, restore"):
        containers.script("backup.sh", backup)
        containers.compose("down", "--volumes")
        containers.script("restore.sh", backup)
        containers.up()
    expect_leaderboard(client, 1.0)
    expect("succeeded", client.ask(f"/api/v1/jobs/{job}")["state"])


def run_file(*, latency_s: float) -> dict[str, Any]:
    """Make a run of both models on the numbers."""
    return {
        "models": [{"name": name, "latency_s": latency_s} for name in MODELS],
        "tasks": [
            {
                "dataset": {"use": "jsonl", "path": "numbers.jsonl", "name": "numbers"},
                "metrics": [{"use": "exact_match", "name": "accuracy"}],
            }
        ],
        "trackers": ["mlflow"],
        "concurrency": 16,
    }


def write_numbers(path: Path, *, n_right: int) -> None:
    """Write samples whose answer is the question itself, which is right for the first ones."""
    rows = [
        {"input": str(number), "references": [str(number) if number < n_right else "no"]}
        for number in range(N_SAMPLES)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def expect_leaderboard(client: Client, value: float) -> None:
    """Wait until each model has one run, with this value; what was away may still be delivered."""
    wanted = {model: [value] for model in MODELS}
    seen: list[object] = []

    def look() -> bool | None:
        seen[:] = [client.leaderboard(METRIC)]
        return seen == [wanted] or None

    try:
        wait_for("the leaderboard", look)
    except StepError as err:
        raise StepError(f"expected {wanted}, got {seen[-1]}") from err


def expect(expected: object, actual: object) -> None:
    """Compare.

    Raises:
        StepError: they differ.
    """
    if expected != actual:
        raise StepError(f"expected {expected}, got {actual}")


if __name__ == "__main__":
    main()
