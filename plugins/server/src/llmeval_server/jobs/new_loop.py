"""Runs a coroutine in a new event loop that ends even if a plugin's thread hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_CANCEL_S = 2.0
"""How long cancelled tasks may take to end, seconds."""


def run_in_new_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a new event loop in the calling thread; Any: its own types.

    Unlike `asyncio.run`, this does not wait for threads, such as one that hangs in a plugin.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        remaining = asyncio.all_tasks(loop)
        for task in remaining:
            task.cancel()
        if remaining:
            loop.run_until_complete(asyncio.wait(remaining, timeout=_CANCEL_S))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
