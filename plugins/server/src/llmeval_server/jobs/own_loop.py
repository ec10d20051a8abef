"""An event loop of one's own, in the calling thread, that plugins cannot keep from ending."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_LEFT_BEHIND_S = 2.0
"""How long tasks that are left at the end may take to notice that they are cancelled."""


def run_in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a new event loop; Any: what it sends and yields is its own.

    Unlike `asyncio.run`, this does not wait for ever for a thread that hangs in a plugin.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=_LEFT_BEHIND_S))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
