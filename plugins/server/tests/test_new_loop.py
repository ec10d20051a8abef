"""Work in a loop of its own ends, whatever a plugin left behind."""

from __future__ import annotations

import asyncio
import threading

from llmeval_server.jobs.new_loop import run_in_new_loop


def test_a_thread_that_hangs_keeps_nobody() -> None:
    ending = threading.Event()

    async def leave_a_thread_behind() -> str:
        hanging = asyncio.create_task(asyncio.to_thread(ending.wait))
        await asyncio.wait((hanging,), timeout=0.01)
        return "done"

    try:
        assert run_in_new_loop(leave_a_thread_behind()) == "done"
    finally:
        ending.set()
