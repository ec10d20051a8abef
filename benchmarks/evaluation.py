"""One `llmeval run` of questions from a JSONL file, as a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import LLMEVAL, Finished, run

CONCURRENCY = 64


def evaluate(
    questions: Path,
    *,
    home: Path,
    base_url: str | None,
    metrics: Sequence[str] = ("exact_match",),
    concurrency: int = CONCURRENCY,
    http: str = "asyncio",
    solver: str | None = None,
) -> Finished:
    """Evaluate and measure.

    Args:
        questions: the data set.
        home: the journal's folder; an empty one makes every request be sent.
        base_url: the load server; None takes the `echo` model, which sends nothing.
        metrics: names of metrics.
        concurrency: requests under way at once.
        http: the client that carries them.
        solver: what answers a sample, as in a run file; None for one request each.
    """
    home.mkdir(exist_ok=True)
    model = "name: echo/echo"
    if base_url is not None:
        model = (
            f"name: load/load, provider: openai_compatible, http: {http}, base_url: '{base_url}'"
        )
    asked = "" if solver is None else f", solver: {solver}"
    run_file = home / "run.yaml"
    run_file.write_text(
        f"models: [{{{model}}}]\n"
        f"tasks: [{{dataset: 'jsonl:{questions}'{asked}}}]\n"
        f"metrics: [{', '.join(metrics)}]\n"
        f"concurrency: {concurrency}\n"
    )
    return run(*LLMEVAL, "run", run_file, "--home", home)
