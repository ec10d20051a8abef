"""A private PostgreSQL cluster for the tests: made in a second or two, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


class Cluster:
    """A cluster in a temporary folder, on a free port of loopback.

    PostgreSQL refuses to run as root, so root runs it as the user `postgres`.
    """

    def __init__(self) -> None:
        self._bin = _folder_of_programs()
        self._account = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="llmeval-jobs-pg-"))
        if self._account:
            shutil.chown(self._folder, self._account, self._account)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._data = self._folder / "data"

    def make(self) -> None:
        """Make the cluster and start it."""
        self._run("initdb", "--auth=trust", "--username=llmeval", "--no-locale", "--no-sync",
                  "--encoding=UTF8", f"--pgdata={self._data}")  # fmt: skip
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses='127.0.0.1'\nport={self._port}\nfsync=off\n")
            conf.write(f"unix_socket_directories='{self._folder}'\n")
        self.start()

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        log = self._folder / "log"
        self._run("pg_ctl", "start", "--wait", f"--pgdata={self._data}", f"--log={log}")

    def crash(self) -> None:
        """Stop it as a power cut would."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate", f"--pgdata={self._data}")

    def new_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        self._run("createdb", f"--host={self._folder}", f"--port={self._port}",
                  "--username=llmeval", name)  # fmt: skip
        return f"postgresql://llmeval:secret-password@127.0.0.1:{self._port}/{name}"

    def remove(self) -> None:
        """Stop it if it runs, and remove it."""
        if (self._data / "postmaster.pid").exists():
            self.crash()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        with tempfile.TemporaryFile("w+") as said:  # `pg_ctl start` would hold a pipe open
            done = subprocess.run(
                [str(self._bin / program), *arguments],
                user=self._account,
                group=self._account,
                extra_groups=[] if self._account else None,
                cwd=self._folder,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
                timeout=60,
            )
            said.seek(0)
            assert done.returncode == 0, f"{program} failed: {said.read()}"


def _folder_of_programs() -> Path:
    """Find PostgreSQL's programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    assert found or on_path, "these tests need PostgreSQL: apt-get install postgresql"
    return found[-1].parent if found else Path(str(on_path)).parent
