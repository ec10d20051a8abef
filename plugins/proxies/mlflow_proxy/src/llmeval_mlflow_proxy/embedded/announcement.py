"""A file that tells other processes of the same folder where the embedded server is."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from llmeval_mlflow_proxy.upstream import Upstream

FILE = "mlflow-server.json"


class _Announced(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    host: str


class Announcement:
    """The file, while there is something to tell; readable by us alone."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def make(self, upstream: Upstream) -> None:
        """Tell where the server is."""
        text = _Announced(url=upstream.url, host=upstream.host).model_dump_json()
        unfinished = self._path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        unfinished.replace(self._path)

    def withdraw(self) -> None:
        """Tell that there is no server any more."""
        self._path.unlink(missing_ok=True)


def read_announcement(home: Path) -> Upstream | None:
    """Return where the embedded server is said to be; after a crash it need not be there."""
    try:
        announced = _Announced.model_validate_json((home / FILE).read_text())
    except (OSError, ValidationError):
        return None
    return Upstream(announced.url, announced.host)
