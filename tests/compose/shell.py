"""Running commands and telling of them, with the time that each step took."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class StepError(Exception):
    """A command failed, or something did not happen in time."""


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 900,
    cwd: Path | None = None,
) -> str:
    """Run a command and return what it printed.

    Raises:
        StepError: it failed; the message has the end of its output.
    """
    done = subprocess.run(
        [str(word) for word in command],
        env=env,
        cwd=cwd,
        timeout=timeout_s,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        words = " ".join(str(word) for word in command)
        raise StepError(f"{words}\n{done.stdout[-4000:]}")
    return done.stdout


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"compose: {what} ...", flush=True)
    started = time.monotonic()
    yield
    print(f"compose: {what}: {time.monotonic() - started:.1f} s", flush=True)


def wait_for(what: str, look: Callable[[], T | None], *, timeout_s: float = 180) -> T:
    """Look again and again until there is something.

    Raises:
        StepError: there was nothing in time.
    """
    deadline = time.monotonic() + timeout_s
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise StepError(f"waited {timeout_s:.0f} s for {what}")
        time.sleep(0.2)
    return found
