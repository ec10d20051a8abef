"""Where results go: a server, or a database that this process opens itself.

MLflow destroys a fresh SQLite file when two processes initialise it at the same moment, so it is
opened under a lock beside the file. The lock of another database is in the project's folder, which
covers the processes of one machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from llmeval_core.hooks import expand_path
from llmeval_mlflow_tracker.address import DATABASES, read_address
from llmeval_mlflow_tracker.mlflow_errors import MlflowError, public_uri

LOCK_WAIT_S = 120.0
_PREFIX = "sqlite:///"


@dataclass(frozen=True, slots=True)
class TrackingLocation:
    """Where results go.

    Args:
        uri: the tracking URI for MLflow.
        database: the SQLite file; None if it is something else.
        artifacts: where a new experiment keeps its artifacts; None if the server decides.
        lock: the file that is locked while the store is opened; None for a server.
    """

    uri: str
    database: Path | None = None
    artifacts: str | None = None
    lock: Path | None = None

    @property
    def is_direct(self) -> bool:
        """Whether this process opens the database itself, without a server."""
        return self.lock is not None

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Hold the lock under which the first calls to a database are made.

        Raises:
            MlflowError: the file cannot be written, or another process keeps the lock.
        """
        if self.lock is None:
            yield
            return
        _check_writable(self.database or self.lock)
        lock = FileLock(self.lock, timeout=LOCK_WAIT_S)
        try:
            lock.acquire()
        except Timeout as err:
            raise MlflowError(
                "transient", f"another process has been opening {public_uri(self.uri)} for long"
            ) from err
        try:
            yield
        finally:
            lock.release()


def find_location(setting: str | None, *, home: Path) -> TrackingLocation:
    """Return where results go: the setting, else MLFLOW_TRACKING_URI, else the project's folder.

    MLflow's own default is never used: it depends on the working directory and breaks on an
    old `mlruns/` there.

    Raises:
        ConfigError: it can be no tracking URI.
    """
    variable = "MLFLOW_TRACKING_URI"
    written, where = (setting or "").strip(), None
    if not written:
        written, where = os.environ.get(variable, "").strip(), f"environment, {variable}"
    if not written:
        return _sqlite(home / "mlflow.db")
    uri = read_address(written, where=where, environ=os.environ)
    if uri.startswith(_PREFIX) and "?" not in uri and ":memory:" not in uri:
        return _sqlite(expand_path(unquote(uri.removeprefix(_PREFIX))))
    if urlsplit(uri).scheme.partition("+")[0] in DATABASES:
        digest = hashlib.blake2b(uri.encode(), digest_size=8).hexdigest()
        return TrackingLocation(
            uri, None, _artifacts_in(home), home.absolute() / f"mlflow-{digest}.lock"
        )
    return TrackingLocation(uri)


def _sqlite(database: Path) -> TrackingLocation:
    path = database.absolute()
    quoted = str(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    lock = path.with_name(f"{path.name}.lock")
    return TrackingLocation(f"{_PREFIX}{quoted}", path, _artifacts_in(path.parent), lock)


def _artifacts_in(folder: Path) -> str:
    return (folder.absolute() / "mlartifacts").as_uri()


def _check_writable(database: Path) -> None:
    """Refuse early: MLflow retries an SQLite file that it cannot open for an hour."""
    folder = database.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise MlflowError("other", f"cannot make the folder {folder}: {err.strerror}") from err
    target = database if database.exists() else folder
    if database.is_dir() or not os.access(target, os.W_OK):
        raise MlflowError(
            "other",
            f"cannot write to {database}",
            hint="make it writable, or set tracking_uri to another place",
        )
