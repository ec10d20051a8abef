"""The containers of the project's compose file, under a name and a port of their own."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.compose.engine import Engine
from tests.compose.shell import StepError, run, step, wait_for
from tests.papers import ROOT

IMAGES = {"llmeval-mlflow": "mlflow", "llmeval": "llmeval"}


def build_images(engine: Engine) -> None:
    """Build both images as they stand in the Dockerfile."""
    # An engine of ours lends containers no way out, so a build borrows the machine's.
    network = ["--network=host"] if engine.is_ours else []
    for name, target in IMAGES.items():
        with step(f"build {name}"):
            what = ["--file", str(ROOT / "docker" / "Dockerfile"), "--target", target, str(ROOT)]
            engine.docker("build", "--quiet", *network, "--tag", name, *what, timeout_s=1800)
        size_bytes = int(engine.docker("image", "inspect", "--format={{.Size}}", name))
        print(f"compose: {name} has {size_bytes / 1e6:,.0f} MB", flush=True)


@dataclass(frozen=True, slots=True)
class Stack:
    """How to talk to the containers, and where the server answers."""

    engine: Engine
    env: dict[str, str]
    data: Path
    url: str
    token: str

    def compose(self, *words: str, timeout_s: float = 600) -> str:
        """Run a command of Compose."""
        return run([self.engine.compose, *words], env=self.env, cwd=ROOT, timeout_s=timeout_s)

    def script(self, name: str, *words: str | Path) -> str:
        """Run one of the scripts in `docker/`."""
        env = {**self.env, "COMPOSE": str(self.engine.compose)}
        return run([ROOT / "docker" / name, *words], env=env, cwd=ROOT)

    def up(self) -> None:
        """Start everything, and wait until it is healthy."""
        self.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "300")

    def crash(self, service: str) -> None:
        """Kill all of a container's processes as a crash would, and wait until it is back."""
        before = self._restarts(service)
        with contextlib.suppress(StepError):  # the shell that kills dies too
            self.compose("exec", "-T", service, "sh", "-c", "kill -9 -1")
        wait_for(f"{service} to start again", lambda: self._restarts(service) > before or None)
        wait_for(f"{service} to be healthy", lambda: self._health(service) == "healthy" or None)

    def _restarts(self, service: str) -> int:
        return int(self._inspect(service, "{{.RestartCount}}"))

    def _health(self, service: str) -> str:
        return self._inspect(service, "{{.State.Health.Status}}")

    def _inspect(self, service: str, what: str) -> str:
        container = self.compose("ps", "--all", "--quiet", service).strip()
        return self.engine.docker("inspect", f"--format={what}", container).strip()


@contextmanager
def stack(engine: Engine, work: Path, settings: Mapping[str, str]) -> Iterator[Stack]:
    """Give a stack that is not started yet, and remove it with its volumes in the end.

    Args:
        engine: where it runs.
        work: a folder for data.
        settings: more lines for `.env`.
    """
    data = work / "data"
    data.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_urlsafe(16)
    known = {name: value for name, value in engine.env.items() if not _is_setting(name)}
    env = {
        **known,
        "COMPOSE_PROJECT_NAME": f"llmeval-{secrets.token_hex(3)}",
        "LLMEVAL_PORT": str(port),
        "LLMEVAL_TOKEN": token,
        "LLMEVAL_DATA": str(data),
        **settings,
    }
    made = Stack(engine, env, data, f"http://127.0.0.1:{port}", token)
    try:
        yield made
    except BaseException:
        with contextlib.suppress(StepError):
            print(made.compose("ps", "--all"), made.compose("logs", "--tail=40"), flush=True)
        raise
    finally:
        with step("remove the stack"):
            made.compose("down", "--volumes", "--timeout=10")


def _is_setting(name: str) -> bool:
    """Tell what of our environment would change the stack."""
    return name.startswith(("LLMEVAL_", "COMPOSE_", "MLFLOW_", "POSTGRES_")) or name in (
        "OPENAI_API_KEY",
        "HF_TOKEN",
    )
