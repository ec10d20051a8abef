"""The visitor's process as its parent sees it: started when needed, ended when in doubt."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping

from pydantic import BaseModel

from llmeval_core.hooks import TrackerError
from llmeval_wandb_tracker.errand import Answer, Greeting

_START_S = 60.0  # importing wandb is work for the processor, not the network
_END_S = 2.0
_ENDED = "the process that talks to Weights & Biases has ended"


class Child:
    """One visitor at a time; it gets one line, and answers it, before it gets the next.

    Args:
        greeting: its first line.
        environment: the variables that it sees.
    """

    def __init__(self, greeting: Greeting, environment: Mapping[str, str]) -> None:
        self._greeting = greeting
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
            "llmeval_wandb_tracker.visitor",
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for the parent, which lets a delivery end
        )
        await self._exchange(self._greeting, within_s=_START_S)

    async def ask(self, line: BaseModel, *, within_s: float) -> Answer:
        """Send a line and return the answer to it.

        Raises:
            TrackerError: it says why it failed, or it did not answer in time.
        """
        await self.start()
        return await self._exchange(line, within_s=within_s)

    async def stop(self) -> None:
        """Let the process end by itself; W&B's service ends with it."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await process.wait()
        await self._kill()

    async def _exchange(self, line: BaseModel, *, within_s: float) -> Answer:
        """Send and receive; a process with which anything went wrong is of no use any more."""
        try:
            async with asyncio.timeout(within_s):
                answer = await self._send(line)
        except TimeoutError as err:
            await self._kill()
            raise TrackerError(
                f"Weights & Biases did not answer within {within_s:g} s",
                hint="the tracker's setting timeout_s allows more time",
            ) from err
        except BaseException:
            await self._kill()
            raise
        if answer.error is not None:
            # What W&B keeps of the attempt must not stand in the way of the next one.
            await self._kill()
            raise TrackerError(answer.error, hint=answer.hint)
        return answer

    async def _send(self, line: BaseModel) -> Answer:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise TrackerError(_ENDED)
        try:
            process.stdin.write(line.model_dump_json().encode() + b"\n")
            await process.stdin.drain()
        except ConnectionError as err:
            raise TrackerError(_ENDED) from err
        answer = await process.stdout.readline()
        if not answer:
            raise TrackerError(_ENDED)
        return Answer.model_validate_json(answer)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
