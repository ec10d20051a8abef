"""The file by which other processes of a folder find the embedded server."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from llmeval_core.support import write_atomically
from llmeval_mlflow_proxy.upstream import Upstream

FILE = "mlflow-server.json"


class _ServiceRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    host: str


class ServiceFile:
    """The file, which exists while the server is ready; only its owner can read it."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def write(self, upstream: Upstream) -> None:
        """Write where the server is."""
        text = _ServiceRecord(url=upstream.url, host=upstream.host).model_dump_json()
        write_atomically(self._path, text, mode=0o600)

    def remove(self) -> None:
        """Remove the file: the server has ended."""
        self._path.unlink(missing_ok=True)


def read_service_file(home: Path) -> Upstream | None:
    """Return the server that the file names; after a crash it may not be running."""
    try:
        record = _ServiceRecord.model_validate_json((home / FILE).read_text())
    except (OSError, ValidationError):
        return None
    return Upstream(record.url, record.host)
