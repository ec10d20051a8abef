"""The database and the artifacts of the embedded server: those of the MLflow tracker.

File names, artifact folder and lock are the same as the tracker's, which may open the database at
the same moment: MLflow destroys a fresh SQLite file that two processes initialise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

_PREFIX = "sqlite:///"


@dataclass(frozen=True, slots=True)
class BackendStore:
    """What an MLflow server stores its data in.

    Args:
        uri: the database, for MLflow; may hold a password.
        database: the SQLite file; None if it is something else.
        artifacts: the folder of artifacts.
        lock: the file that is locked while the database is initialised.
    """

    uri: str = field(repr=False)
    database: Path | None
    artifacts: Path
    lock: Path


def find_backend_store(uri: str | None, *, home: Path) -> BackendStore:
    """Return what the tracker uses with the same setting and folder.

    Args:
        uri: MLFLOW_TRACKING_URI, of a database; None for the project's own file.
        home: the project's folder.
    """
    if uri is None:
        return _sqlite(home / "mlflow.db")
    if uri.startswith(_PREFIX) and "?" not in uri and ":memory:" not in uri:
        return _sqlite(Path(unquote(uri.removeprefix(_PREFIX))))
    digest = hashlib.blake2b(uri.encode(), digest_size=8).hexdigest()
    folder = home.absolute()
    return BackendStore(uri, None, folder / "mlartifacts", folder / f"mlflow-{digest}.lock")


def sqlite_uri(path: Path) -> str:
    """Return MLflow's URI of an SQLite file with any name."""
    quoted = str(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return f"{_PREFIX}{quoted}"


def _sqlite(database: Path) -> BackendStore:
    path = database.absolute()
    lock = path.with_name(f"{path.name}.lock")
    return BackendStore(sqlite_uri(path), path, path.parent / "mlartifacts", lock)
