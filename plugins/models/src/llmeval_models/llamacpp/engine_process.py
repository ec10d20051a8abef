"""Starting and ending the engine's process."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from llmeval_core.hooks import ModelError
from llmeval_core.support import ChildCommand, ChildEndedError, ChildProcess, python_command
from llmeval_models.model_settings import LlamaCppSettings

_COMMAND = ChildCommand(python_command("llmeval_models.llamacpp.engine_main"), takes_messages=True)
_END_S = 5.0
_MOST_THREADS = 16


class EngineProcess:
    """One llama.cpp server with one model, on a free port of the loopback interface.

    Attributes:
        id: of the process.
        address: such as `http://127.0.0.1:40123`.
        key: what the server wants as bearer token.
    """

    def __init__(self, process: ChildProcess) -> None:
        self._process = process
        self.id = process.pid
        self.address = ""
        self.key = SecretStr(secrets.token_urlsafe(24))

    @classmethod
    async def start(cls, name: str, path: Path, settings: LlamaCppSettings) -> EngineProcess:
        """Start the engine and wait until it has loaded the model.

        Raises:
            ModelError: it cannot load the file, or not in time.
        """
        engine = cls(await ChildProcess.start(_COMMAND))
        try:
            answer = await engine._load(name, path, settings)
        except TimeoutError as err:
            raise ModelError(
                "not_found",
                f"llama.cpp did not load the model within {settings.start_timeout_s:g} s",
                where=str(path),
                hint="the setting start_timeout_s allows more time",
            ) from err
        except ChildEndedError as err:
            last_line = f" ({err.last_line})" if err.last_line else ""
            reason = f"its process ended with {engine.ended()}{last_line}"
            raise _cannot_load(path, reason) from err
        if "address" not in answer:
            await engine.end()
            raise _cannot_load(path, str(answer.get("error")))
        engine.address = str(answer["address"])
        return engine

    def ended(self) -> str | None:
        """Say how the process ended; None if it runs."""
        return self._process.exit_text()

    async def wait(self) -> None:
        """Wait until the process has ended, for whatever reason."""
        await self._process.wait()

    async def end(self) -> None:
        """End the process: tell it to end, and kill it if it does not."""
        await self._process.end(within_s=_END_S)

    async def _load(self, name: str, path: Path, settings: LlamaCppSettings) -> dict[str, Any]:
        """Send the settings and receive the address, or the error; Any: JSON of our own process."""
        wanted = {
            "name": name,
            "path": str(path),
            "key": self.key.get_secret_value(),
            "n_parallel": settings.n_parallel,
            "context_size": settings.context_size,
            "n_threads": settings.n_threads or min(_n_processors(), _MOST_THREADS),
        }
        message = json.dumps(wanted).encode()
        answer: dict[str, Any] = json.loads(
            await self._process.ask(message, within_s=settings.start_timeout_s)
        )
        return answer


def _cannot_load(path: Path, reason: str) -> ModelError:
    return ModelError(
        "not_found",
        f"llama.cpp cannot load the model: {reason}",
        where=str(path),
        hint="is it a GGUF file? `llmeval doctor` checks the engine",
    )


def _n_processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
