"""The worker process as the tracker sees it: started when needed, ended when anything fails."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping

from pydantic import BaseModel

from llmeval_core.hooks import TrackerError
from llmeval_wandb_tracker.delivery_messages import InitMessage, WorkerReply

_START_TIMEOUT_S = 60.0  # importing wandb takes the processor, not the network
_END_TIMEOUT_S = 2.0
_ENDED = "the process that talks to Weights & Biases has ended"


class WorkerProcess:
    """Runs one worker at a time and sends it one message after another, each answered before.

    Args:
        init: the first message.
        environment: the variables that the process sees.
    """

    def __init__(self, init: InitMessage, environment: Mapping[str, str]) -> None:
        self._init = init
        self._environment = environment
        self._process: Process | None = None

    async def start(self) -> None:
        """Start the process if there is none.

        Raises:
            TrackerError: wandb is not there, nobody is logged in, or it does not start in time.
        """
        if self._process is not None:
            return
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a folder `wandb` may lie in the working directory: W&B itself makes it
            "-m",
            "llmeval_wandb_tracker.wandb_worker",
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for the parent, which lets a delivery end
        )
        await self._exchange(self._init, within_s=_START_TIMEOUT_S)

    async def send(self, message: BaseModel, *, within_s: float) -> WorkerReply:
        """Send a message and return the reply, which has no error.

        Raises:
            TrackerError: it says why it failed, or it did not answer in time.
        """
        await self.start()
        return await self._exchange(message, within_s=within_s)

    async def stop(self) -> None:
        """Let the process end by itself; W&B's service ends with it."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_TIMEOUT_S):
                await process.wait()
        await self._kill()

    async def _exchange(self, message: BaseModel, *, within_s: float) -> WorkerReply:
        """Send and receive; if anything goes wrong, the process is killed."""
        try:
            async with asyncio.timeout(within_s):
                reply = await self._write_and_read(message)
        except TimeoutError as err:
            await self._kill()
            raise TrackerError(
                f"Weights & Biases did not answer within {within_s:g} s",
                hint="the tracker's setting timeout_s allows more time",
            ) from err
        except BaseException:
            await self._kill()
            raise
        if reply.error is not None:
            # What W&B keeps of a failed attempt would make the next one fail too.
            await self._kill()
            raise TrackerError(reply.error, hint=reply.hint)
        return reply

    async def _write_and_read(self, message: BaseModel) -> WorkerReply:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise TrackerError(_ENDED)
        try:
            process.stdin.write(message.model_dump_json().encode() + b"\n")
            await process.stdin.drain()
        except ConnectionError as err:
            raise TrackerError(_ENDED) from err
        reply = await process.stdout.readline()
        if not reply:
            raise TrackerError(_ENDED)
        return WorkerReply.model_validate_json(reply)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
