"""The worker's main loop: DBOS with our workflow, a heartbeat, and a clean end."""

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
from llmeval_server.jobs.job_files import write_heartbeat
from llmeval_server.jobs.job_workflow import JobRunner
from llmeval_server.jobs.redelivery_loop import RedeliveryLoop
from llmeval_server.server_settings import ServerSettings

QUEUE_POLL_S = 0.2
"""How often the queue is polled, seconds."""
HEARTBEAT_EVERY_S = 1.0
ORPHANED_AFTER_S = 10.0
"""After how long a job that is stored as running, but is not run here, is requeued, seconds."""
REPEAT_AFTER_S = 30.0
"""How long the same message of DBOS is suppressed, seconds."""
GRACE_S = 3.0
"""How long requests under way may take to finish when the worker stops, seconds."""
ABORT_S = 3.0
"""How long aborted jobs may then take to write their state, seconds."""

_log = logging.getLogger("llmeval.server")


def work_until(
    stopping: threading.Event, settings: ServerSettings, session: Session, *, wait_s: float
) -> None:
    """Run jobs until `stopping` is set; unfinished jobs continue in the next worker.

    DBOS is not shut down but left as by a crash: everything that matters is on disk.

    Args:
        stopping: set to stop.
        settings: the server's settings.
        session: the loaded plugins.
        wait_s: how long to wait for another worker of this database to end, seconds.

    Raises:
        JobStoreError: the database cannot be reached or written.
        ConfigError: another worker uses the database.
    """
    url = prepare_database(settings)
    runner = JobRunner(session, settings.home)
    with ExitStack() as stack:
        with store_errors(settings):
            stack.enter_context(only_worker(url, wait_s=wait_s))
            _launch(runner, url, settings)
            store = open_store(settings)
        _log.info("the worker runs jobs, %d at once", settings.jobs_at_once)
        redelivery = RedeliveryLoop(settings.home, session.catalog, lambda: not store.running_ids())
        redelivery.start()
        stack.callback(redelivery.stop)
        orphaned = OrphanedJobs()
        _beat(settings.home)
        while not stopping.wait(HEARTBEAT_EVERY_S):
            _beat(settings.home)
            orphaned.requeue(store, runner)
        n_jobs = runner.close(grace_s=GRACE_S, abort_s=ABORT_S)
    _log.info("the worker ends; %d jobs go on when it starts again", n_jobs)


def _launch(runner: JobRunner, url: str, settings: ServerSettings) -> None:
    dbos_logger = logging.getLogger("dbos")
    dbos_logger.addHandler(logging.NullHandler())  # otherwise DBOS adds one for the terminal
    dbos_logger.addFilter(_DbosLogFilter())
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


class _DbosLogFilter:
    """Filters DBOS's log messages.

    It drops those about failed and cancelled jobs, which are logged by us, and lets messages that
    are repeated at each poll of an unreachable database through only now and then.
    """

    def __init__(self) -> None:
        self._passed_at: dict[str, float] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        text = str(record.msg)
        if text.startswith("Exception encountered in asynchronous workflow"):
            return False
        if "Waiting for the" in text:
            return False
        beginning, now = text[:40], time.monotonic()
        if now - self._passed_at.get(beginning, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        self._passed_at[beginning] = now
        return True


def _beat(home: Path) -> None:
    """Send a heartbeat; a worker that cannot counts as gone, but keeps running."""
    with contextlib.suppress(OSError):
        write_heartbeat(home)


@dataclass(slots=True)
class OrphanedJobs:
    """Jobs that are stored as running, but that no worker runs.

    Their end could not be written, for instance because the disk was full. DBOS recovers such jobs
    only when it starts.

    Attributes:
        since: when each was first found, by id.
        problem: why the store could not be asked the last time; None if it could.
    """

    since: dict[str, float] = field(default_factory=dict)
    problem: str | None = None

    def requeue(self, store: DbosJobStore, runner: JobRunner) -> None:
        """Queue jobs again that have been orphaned for a while."""
        try:
            running = store.running_ids()
            now = time.monotonic()
            orphaned = [job_id for job_id in running if not runner.has(job_id)]
            self.since = {job_id: self.since.get(job_id, now) for job_id in orphaned}
            for job_id, since in self.since.items():
                if now - since >= ORPHANED_AFTER_S:
                    _log.warning("job %s is taken up again: its end could not be kept", job_id)
                    store.requeue(job_id)
            self.problem = None
        except LlmevalError as err:
            if self.problem is None:
                _log.warning("%s; jobs wait until it works again", err.what)
            self.problem = err.what
