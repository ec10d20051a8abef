"""Answers requests in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from llmeval_core.concurrency import pull
from llmeval_core.contracts import ExecutionRequest
from llmeval_core.generation.request_runner import RequestRunner
from llmeval_core.records import Failure, Generation, Request


class LocalExecutor:
    """Answers requests in this process, with as many workers as the job allows.

    Args:
        sleep: waits between attempts, seconds.
    """

    def __init__(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep

    async def run(
        self,
        job: ExecutionRequest,
        requests: AsyncIterator[Request],
        finish: Callable[[Request, Generation | Failure], Awaitable[None]],
    ) -> None:
        """Answer all requests; see `contracts.Executor`."""
        opening = asyncio.Lock()
        runner: RequestRunner | None = None

        async def work(request: Request) -> None:
            nonlocal runner
            if runner is None:
                async with opening:
                    if runner is None:
                        runner = RequestRunner(await job.open(), job, sleep=self._sleep)
            await finish(request, await runner.send(request))

        try:
            await pull(requests, work, n_workers=job.concurrency)
        finally:
            if runner is not None:
                runner.close()
