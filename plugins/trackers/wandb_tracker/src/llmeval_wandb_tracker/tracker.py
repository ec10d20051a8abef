"""The tracker: each delivery is one visit to the model's run, under a lock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from llmeval_core.hooks import Json, Receipt, RunInfo, TaskResult, TrackerError
from llmeval_wandb_tracker.content import add_result, artifact_name, run_id, sample_rows
from llmeval_wandb_tracker.memory import Memory, read_memory, write_memory
from llmeval_wandb_tracker.settings import WandbSettings
from llmeval_wandb_tracker.wandb_run import check_login, import_wandb, model_run

T = TypeVar("T")

_IMPORT_ALLOWANCE_S = 60.0  # importing wandb is work for the processor, not the network


class WandbTracker:
    """Writes results to Weights & Biases, each model into a run of its own.

    A run is found again by its id, which follows from the model's name. W&B does not say when
    what it was given is safe, except by finishing a run; so each delivery opens the run, writes
    and finishes it, and only then counts.
    """

    def __init__(self, settings: WandbSettings) -> None:
        self._settings = settings
        self._wandb: Any = None  # the module, once it is imported
        self._run: RunInfo | None = None

    async def open(self, run: RunInfo) -> None:
        """Import wandb and look for a key; nothing is sent.

        Raises:
            TrackerError: wandb is not there, or nobody is logged in.
        """
        self._run = run
        await self._in_thread(self._open, within_s=_IMPORT_ALLOWANCE_S)

    async def deliver(self, result: TaskResult) -> Receipt:
        """Write one result to its model's run; the same result again changes nothing.

        Raises:
            TrackerError: W&B did not take it, or did not answer in time.
        """
        return await self._in_thread(
            lambda: self._deliver(result), within_s=self._settings.timeout_s
        )

    async def close(self) -> None:
        """Do nothing: every run was finished when its result was delivered."""

    async def _in_thread(self, work: Callable[[], T], *, within_s: float) -> T:
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.to_thread(work)
        except TimeoutError as err:
            raise TrackerError(
                f"Weights & Biases did not answer within {within_s:g} s",
                hint="the tracker's setting timeout_s allows more time",
            ) from err

    def _open(self) -> None:
        self._wandb = import_wandb()
        check_login(self._wandb, self._settings)

    def _deliver(self, result: TaskResult) -> Receipt:
        if self._run is None or self._wandb is None:
            raise TrackerError("the Weights & Biases tracker is not open")
        folder = self._folder(self._run.home)
        memory_file = folder / f"{run_id(result.model)}.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{memory_file}.lock", timeout=self._settings.timeout_s):
                return self._visit(self._run, result, memory_file)
        except Timeout as err:
            raise TrackerError("another process writes to this model's run for too long") from err
        except (OSError, ValueError, KeyError) as err:
            raise TrackerError(f"cannot use '{folder}': {err}") from err

    def _visit(self, run: RunInfo, result: TaskResult, memory_file: Path) -> Receipt:
        """Bring one result to its run; the memory is written last, when W&B has it all."""
        memory = read_memory(memory_file)
        if memory.has(result.task, result.id):
            return Receipt(self._location(memory_file.parent, None))
        note = None
        with model_run(self._wandb, self._settings, result.model, memory_file.parent) as at_wandb:
            _learn(memory, at_wandb)
            if not memory.has(result.task, result.id):
                add_result(memory, result)
                note = self._send_samples(run, result, at_wandb)
                at_wandb.config.update(memory.config, allow_val_change=True)
                at_wandb.summary.update(memory.summary)
            url = at_wandb.url if self._settings.mode == "online" else None
        write_memory(memory_file, memory)
        return Receipt(self._location(memory_file.parent, url), note)

    def _send_samples(self, run: RunInfo, result: TaskResult, at_wandb: Any) -> str | None:
        """Send a task's samples as a new version of its artifact; Any: wandb's run."""
        max_rows = self._settings.max_table_rows
        if not max_rows:
            return None
        columns, rows, is_cut = sample_rows(run.samples(result), max_rows=max_rows)
        artifact = self._wandb.Artifact(
            artifact_name(result.model, result.task),
            type="samples",
            metadata={"task": result.task, "model": result.model, "result": result.id},
        )
        table = self._wandb.Table(columns=columns, data=rows, allow_mixed_types=True)
        artifact.add(table, "samples")
        at_wandb.log_artifact(artifact)
        if not is_cut:
            return None
        return f"{result.task}: the first {max_rows} of {result.n_samples} samples are in the table"

    def _folder(self, home: Path) -> Path:
        settings = self._settings
        return (settings.directory or home / "wandb") / f"{settings.entity or ''}{settings.project}"

    def _location(self, folder: Path, url: str | None) -> str:
        return url or (str(folder) if self._settings.mode == "offline" else self._settings.project)


def _learn(memory: Memory, at_wandb: Any) -> None:
    """Take over what the run has on the server and we have not; Any: wandb's run.

    Another machine may have written to it. Offline there is no server, and nothing is learnt.
    """
    known: dict[str, Json] = {
        key: value
        for key, value in dict(at_wandb.summary).items()
        if isinstance(value, str | int | float) and not key.startswith("_")
    }
    memory.summary = {**memory.summary, **known}
    for key in ("datasets", "definitions"):
        ours, theirs = memory.config.get(key, {}), dict(at_wandb.config).get(key, {})
        if isinstance(ours, dict) and isinstance(theirs, dict):
            memory.config[key] = {**ours, **theirs}
