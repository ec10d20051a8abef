"""The worker process: DBOS with our workflow, a sign of life, and a clean end."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

from llmeval_core.api import Session
from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.database import (
    APPLICATION,
    EXECUTOR,
    QUEUE,
    VERSION,
    only_worker,
    prepare_database,
    store_errors,
)
from llmeval_server.jobs.dbos_store import DbosJobStore, open_store
from llmeval_server.jobs.files import give_sign_of_life
from llmeval_server.jobs.leftovers import Leftovers
from llmeval_server.jobs.workflow import JobRunner
from llmeval_server.settings import ServerSettings

QUEUE_POLL_S = 0.2
"""How long a job waits for a free worker at most, seconds."""
SIGN_OF_LIFE_EVERY_S = 1.0
STRAY_AFTER_S = 10.0
"""How long a job may be `running` without being run here, seconds."""
SAY_AGAIN_AFTER_S = 30.0
"""How long DBOS may not say the same, seconds."""
GRACE_S = 3.0
"""How long requests under way may finish when the worker is told to end, seconds."""
LAST_S = 3.0
"""How long jobs may then take to write what they have, seconds."""

_log = logging.getLogger("llmeval.server")


def work_until(
    ending: threading.Event, settings: ServerSettings, session: Session, *, wait_s: float
) -> None:
    """Run jobs until told to end; jobs that run then go on when a worker starts again.

    DBOS is left as a dead process leaves it: all that matters is on disk.

    Args:
        ending: set to end.
        settings: where jobs are, and how many run at once.
        session: the plugins.
        wait_s: how long another worker of this database may take to end, seconds.

    Raises:
        JobStoreError: the database cannot be reached or written.
        ConfigError: another worker has the database.
    """
    url = prepare_database(settings)
    runner = JobRunner(session, settings.home)
    with ExitStack() as stack:
        with store_errors(settings):
            stack.enter_context(only_worker(url, wait_s=wait_s))
            _launch(runner, url, settings)
            store = open_store(settings)
        _log.info("the worker runs jobs, %d at once", settings.jobs_at_once)
        leftovers = Leftovers(settings.home, session.catalog, lambda: not store.running_ids())
        leftovers.start()
        stack.callback(leftovers.stop)
        strays = Strays()
        _show_life(settings.home)
        while not ending.wait(SIGN_OF_LIFE_EVERY_S):
            _show_life(settings.home)
            strays.take_up(store, runner)
        n_jobs = runner.close(grace_s=GRACE_S, last_s=LAST_S)
    _log.info("the worker ends; %d jobs go on when it starts again", n_jobs)


def _launch(runner: JobRunner, url: str, settings: ServerSettings) -> None:
    quiet = logging.getLogger("dbos")
    quiet.addHandler(logging.NullHandler())  # else DBOS adds one that writes to the terminal
    quiet.addFilter(_News())
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_url": url,
        "application_version": VERSION,
        "executor_id": EXECUTOR,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "run_migrations": False,
    }
    DBOS(config=config)
    runner.register()
    DBOS.launch()
    DBOS.register_queue(
        QUEUE,
        worker_concurrency=settings.jobs_at_once,
        polling_interval_sec=QUEUE_POLL_S,
        on_conflict="always_update",
    )


class _News:
    """A filter for what DBOS logs.

    What it says of jobs that failed or were cancelled we say ourselves; what it says at each poll
    of a database that is away is let through now and then.
    """

    def __init__(self) -> None:
        self._said_at: dict[str, float] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        text = str(record.msg)
        if text.startswith("Exception encountered in asynchronous workflow"):
            return False
        if "Waiting for the" in text:
            return False
        beginning, now = text[:40], time.monotonic()
        if now - self._said_at.get(beginning, -SAY_AGAIN_AFTER_S) < SAY_AGAIN_AFTER_S:
            return False
        self._said_at[beginning] = now
        return True


def _show_life(home: Path) -> None:
    """Give a sign of life; a worker that cannot is taken for dead, and works on."""
    with contextlib.suppress(OSError):
        give_sign_of_life(home)


@dataclass(slots=True)
class Strays:
    """Jobs that count as running and are not: their end could not be written, the disk was full.

    DBOS takes up such jobs only when it starts.
    """

    since: dict[str, float] = field(default_factory=dict)
    trouble: str | None = None

    def take_up(self, store: DbosJobStore, runner: JobRunner) -> None:
        """Queue again what has been astray for a while."""
        try:
            running = store.running_ids()
            now = time.monotonic()
            astray = [job_id for job_id in running if not runner.has(job_id)]
            self.since = {job_id: self.since.get(job_id, now) for job_id in astray}
            for job_id, since in self.since.items():
                if now - since >= STRAY_AFTER_S:
                    _log.warning("job %s is taken up again: its end could not be kept", job_id)
                    store.take_up_again(job_id)
            self.trouble = None
        except LlmevalError as err:
            if self.trouble is None:
                _log.warning("%s; jobs wait until it works again", err.what)
            self.trouble = err.what
