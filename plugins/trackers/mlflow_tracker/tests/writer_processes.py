"""Processes that write to one model in MLflow at the same moment; see `forked_writers`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self


class WriterProcesses:
    """Starts the process that forks writers, when the first ones are needed.

    Args:
        log: the file for what they write on standard error.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def deliver_together(self, n_writers: int, home: Path, uri: str, model: str) -> None:
        """Let so many processes deliver a result each for one model, at the same moment."""
        answer = self._order(
            kind="together", writers=n_writers, home=str(home), uri=uri, model=model
        )

        assert answer["exit_codes"] == [0] * n_writers, self._log.read_text()

    def deliver_until_done(self, n_writers: int, **order: Any) -> int:
        """Let so many processes be killed and replaced; return how often one was killed."""
        return int(self._order(kind="killed", writers=n_writers, **order)["kills"])

    def _order(self, **order: Any) -> dict[str, Any]:  # Any: JSON
        if self._process is None:
            self._process = self._start()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the writers' process died: {self._log.read_text()}"
        return dict(json.loads(answer))

    def _start(self) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        with self._log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("forked_writers.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            with self._process as process:
                process.kill()
