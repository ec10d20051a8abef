"""A small process that ends MLflow when llmeval's server ends, however that happens.

Run as `python -m llmeval_mlflow_proxy.embedded.keeper LOG COMMAND...`, as leader of a session,
with a pipe as its input of which only llmeval's server holds the other end. At the end of that
input, which comes also after `kill -9`, the whole session's process group is ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_MAX_LOG_BYTES = 1_000_000
_GRACE_S = 3.0


def main(arguments: Sequence[str]) -> int:
    """Run the command until it ends or nobody needs it any more; return its exit code."""
    log, *command = arguments
    # The group's signals are for the command; this process has to outlive it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(  # noqa: S603  the command is ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=_take_signals,  # noqa: PLW1509  there are no threads yet
    )
    assert child.stdout is not None
    writing = threading.Thread(target=_write_log, args=(child.stdout, Path(log)), daemon=True)
    writing.start()
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    code = child.wait()
    writing.join(_GRACE_S)  # what the command left behind may hold its output open
    return code


def _take_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _end_with_input(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_S
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(0, signal.SIGKILL)


def _write_log(lines: IO[bytes], path: Path) -> None:
    """Write to a file that is set aside when it is large; the older half stays as `.1`."""
    for line in lines:
        try:
            if path.exists() and path.stat().st_size + len(line) > _MAX_LOG_BYTES:
                path.replace(path.with_name(f"{path.name}.1"))
            with open(path, "ab", opener=_private) as log:
                log.write(line)
        except OSError:  # a full disk must not stop MLflow, which would block on its output
            continue


def _private(path: str, flags: int) -> int:
    # MLflow writes into its log which Host header it accepts, and that is ours alone.
    return os.open(path, flags, 0o600)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
