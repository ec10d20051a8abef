"""A private PostgreSQL cluster for the tests: made in a second, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

_NEEDED = ("initdb", "pg_ctl", "createdb")
# `synchronous_commit` stays on: without it `crash` loses what was committed just before.
_UNSAFE_BUT_FAST = "fsync=off\nfull_page_writes=off\n"


class PostgresCluster:
    """A cluster of our own in a temporary folder, on a Unix socket and a free port of loopback.

    PostgreSQL refuses to run as root, so root runs it as the user `postgres`, who must be able
    to reach the folder: it lies beside pytest's own, which only root may enter.
    """

    def __init__(self) -> None:
        self._programs = _find_programs()
        self._account = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="llmeval-pg-"))
        if self._account:
            shutil.chown(self._folder, self._account, self._account)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def start(self) -> None:
        """Make the cluster and start it; returns when it takes connections."""
        data = self._folder / "data"
        self._run("initdb", "--auth=trust", "--username=llmeval", "--encoding=UTF8",
                  "--no-locale", "--no-sync", f"--pgdata={data}")  # fmt: skip
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(f"listen_addresses='127.0.0.1'\nport={self.port}\n")
            conf.write(f"unix_socket_directories='{self._folder}'\n{_UNSAFE_BUT_FAST}")
        self._launch()

    def crash(self) -> None:
        """Stop as in a power cut; what is connected loses its connection."""
        data = self._folder / "data"
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate", f"--pgdata={data}")

    def come_back(self) -> None:
        """Start again after a crash; what was committed is there."""
        self._launch()

    def _launch(self) -> None:
        data, log = self._folder / "data", self._folder / "log"
        try:
            self._run("pg_ctl", "start", "--wait", f"--pgdata={data}", f"--log={log}")
        except AssertionError as err:
            raise AssertionError(f"{err}\n{log.read_text() if log.exists() else ''}") from err

    def new_database(self, name: str, scheme: str = "postgresql") -> str:
        """Make an empty database and return its URL, with a password that is never checked."""
        self._run(
            "createdb", f"--host={self._folder}", f"--port={self.port}", "--username=llmeval", name
        )
        return f"{scheme}://llmeval:secret-password@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Stop the cluster, whatever is connected, and remove it."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self.crash()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        # `pg_ctl start` leaves a child that would hold a pipe open: its words go to a file.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [self._programs[program], *arguments],
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


def _find_programs() -> dict[str, str]:
    """Find PostgreSQL's programs; Debian keeps them off the PATH."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(versions, key=lambda folder: _number(folder.parent.name), reverse=True)
    path = os.pathsep.join([*map(str, newest_first), os.environ.get("PATH", "")])
    found = {name: where for name in _NEEDED if (where := shutil.which(name, path=path))}
    missing = [name for name in _NEEDED if name not in found]
    assert not missing, (
        f"these tests need PostgreSQL, and {', '.join(missing)} cannot be found: "
        "apt-get install postgresql"
    )
    return found


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0
