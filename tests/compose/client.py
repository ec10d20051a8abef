"""A small client of the job API, and of MLflow's behind the proxy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.compose.shell import StepError, wait_for


@dataclass(frozen=True, slots=True)
class Client:
    """Talks to a server with its token; Any: answers are JSON."""

    url: str
    token: str

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """GET, or POST a body; patient while the server is away."""
        request = Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )

        def attempt() -> Any:
            try:
                with urlopen(request, timeout=20) as answer:
                    return json.load(answer)
            except URLError as err:
                status = getattr(err, "code", None)
                if status is not None and status < 500:
                    said = err.read().decode("utf-8", "replace") if hasattr(err, "read") else ""
                    raise StepError(f"{path}: {status} {said}") from err
                return None
            except (OSError, ValueError):  # it went away in the middle of an answer
                return None

        return wait_for(path, attempt, timeout_s=120)

    def submit(self, run: dict[str, Any]) -> str:
        """Submit a job and return its id."""
        return str(self.ask("/api/v1/jobs", {"run": run})["id"])

    def n_done(self, job: str) -> int:
        """Count the samples of a job that are finished."""
        tasks = self.ask(f"/api/v1/jobs/{job}/progress")["tasks"]
        return sum(task["n_done"] for task in tasks)

    def wait_for_samples(self, job: str, n_samples: int) -> None:
        """Wait until so many samples are finished."""
        wait_for(f"{n_samples} samples", lambda: self.n_done(job) >= n_samples or None)

    def wait_for_end(self, job: str) -> dict[str, Any]:
        """Wait until a job is over, and return it."""

        def over() -> dict[str, Any] | None:
            found: dict[str, Any] = self.ask(f"/api/v1/jobs/{job}")
            return found if found["state"] not in ("queued", "running") else None

        return wait_for(f"job {job}", over, timeout_s=300)

    def leaderboard(self, metric: str) -> dict[str, list[float]]:
        """Read a metric from MLflow through the proxy: by model, one value for each active run."""
        api = "/proxy-mlflow/api/2.0/mlflow"
        name = "model_evaluation"
        found = self.ask(f"{api}/experiments/get-by-name?experiment_name={name}")
        wanted = {"experiment_ids": [found["experiment"]["experiment_id"]], "max_results": 100}
        found = self.ask(f"{api}/runs/search", wanted)
        board: dict[str, list[float]] = {}
        for run in found.get("runs", []):
            params = {param["key"]: param["value"] for param in run["data"].get("params", [])}
            values = {one["key"]: one["value"] for one in run["data"].get("metrics", [])}
            value = round(values.get(metric, -1), 9)
            board.setdefault(params.get("model_name", "being made"), []).append(value)
        return board
