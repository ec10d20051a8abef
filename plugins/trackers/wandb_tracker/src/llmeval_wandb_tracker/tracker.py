"""The tracker: a worker process opens, writes and finishes the model's run for each delivery."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from llmeval_core.hooks import (
    ConfigError,
    Readiness,
    Receipt,
    RunInfo,
    TaskResult,
    TrackerError,
    folder_problem,
    reasoning_finder,
)
from llmeval_wandb_tracker.delivery_messages import DeliverMessage, InitMessage
from llmeval_wandb_tracker.sample_rows import sample_rows
from llmeval_wandb_tracker.settings import WandbSettings
from llmeval_wandb_tracker.wandb_environment import (
    base_url,
    check_key,
    effective_settings,
    ignored_variables,
    worker_environment,
)
from llmeval_wandb_tracker.worker_process import WorkerProcess

_DISABLED = "Weights & Biases is disabled (WANDB_MODE, or the setting mode): it gets no results"


class WandbTracker:
    """Writes results to Weights & Biases, each model into a run of its own.

    A run is found again by its id, which follows from the model's name. W&B does not say when
    what it was given is safe, except by finishing a run; so each delivery opens the run, writes
    and finishes it, and only then counts.
    """

    title = "Weights & Biases"

    def __init__(self, settings: WandbSettings) -> None:
        self._given_settings = settings
        self._settings = settings
        self._run: RunInfo | None = None
        self._worker: WorkerProcess | None = None
        self._turn = asyncio.Lock()

    def check(self, home: Path) -> Readiness:
        """Look, without wandb and without network, whether results could be delivered.

        Raises:
            ConfigError: WANDB_MODE or WANDB_BASE_URL says what cannot be.
            TrackerError: there is no key, or the folder cannot be written.
        """
        self._settings = effective_settings(self._given_settings, os.environ)
        if self._settings.mode == "disabled":
            return Readiness((_DISABLED,), is_disabled=True)
        if self._settings.mode == "online":
            check_key(os.environ)
        if problem := folder_problem(self._folder(home)):
            raise TrackerError(
                f"cannot write W&B's files to {self._folder(home)}: {problem.strerror}",
                hint="make the folder writable, or set the tracker's directory, or WANDB_DIR",
            )
        return Readiness(ignored_variables(os.environ))

    async def open(self, run: RunInfo) -> None:
        """Import wandb, in a process of its own, and look for a key; nothing is sent.

        Raises:
            TrackerError: wandb is not there, nobody is logged in, or W&B is disabled.
        """
        try:
            self._settings = effective_settings(self._given_settings, os.environ)
            if self._settings.mode == "online":
                base_url(os.environ)
        except ConfigError as err:
            raise TrackerError(f"{err.what} ({err.where})", hint=err.hint) from err
        if self._settings.mode == "disabled":
            raise TrackerError(_DISABLED, hint="unset WANDB_MODE, or set it to online or offline")
        init = InitMessage(settings=self._settings, folder=self._folder(run.home).absolute())
        worker = WorkerProcess(init, worker_environment(self._settings, os.environ))
        await worker.start()
        self._run, self._worker = run, worker

    async def deliver(self, result: TaskResult) -> Receipt:
        """Write one result to its model's run; the same result again changes nothing.

        Raises:
            TrackerError: W&B did not take it, or did not answer in time.
        """
        run, worker = self._run, self._worker
        if run is None or worker is None:
            raise TrackerError("the Weights & Biases tracker is not open")
        message, note = await asyncio.to_thread(self._message, run, result)
        async with self._turn:
            reply = await worker.send(message, within_s=self._settings.timeout_s)
        notes = [one for one in (reply.note, note) if one]
        return Receipt(reply.url or self._location(run.home), "; ".join(notes) or None)

    async def close(self) -> None:
        """Let the process end; every run was finished when its result was delivered."""
        if self._worker is not None:
            await self._worker.stop()

    def _message(self, run: RunInfo, result: TaskResult) -> tuple[DeliverMessage, str | None]:
        """Return a result with its samples, and a note if some of them are left out."""
        max_rows = self._settings.max_table_rows
        if not max_rows:
            return DeliverMessage(result=result, columns=[], rows=[]), None
        columns, rows, is_cut = sample_rows(
            run.samples(result), max_rows=max_rows, reasoning=reasoning_finder(result.settings)
        )
        note = None
        if is_cut:
            note = (
                f"{result.task}: the first {max_rows} of {result.n_samples} samples "
                "are in the table"
            )
        return DeliverMessage(result=result, columns=columns, rows=rows), note

    def _folder(self, home: Path) -> Path:
        settings = self._settings
        owner = f"{settings.entity}-" if settings.entity else ""
        return (settings.directory or home / "wandb") / f"{owner}{settings.project}"

    def _location(self, home: Path) -> str:
        settings = self._settings
        return str(self._folder(home)) if settings.mode == "offline" else settings.project
