"""The event loop of a run, which waits a limited time for the threads of plugins."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from llmeval_core.errors import PluginError, describe_error
from llmeval_core.process_state import THREAD_NAME

T = TypeVar("T")
_MAX_WAIT_S = 2.0


class _AbandoningThreadPool(ThreadPoolExecutor):
    """Runs blocking calls; `shutdown` abandons a thread that hangs in a plugin."""

    def __init__(self) -> None:
        self._started_threads: list[threading.Thread] = []
        super().__init__(
            thread_name_prefix=THREAD_NAME,
            initializer=lambda: self._started_threads.append(threading.current_thread()),
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait at most `_MAX_WAIT_S` for all threads together."""
        super().shutdown(wait=False, cancel_futures=True)
        give_up_at = time.monotonic() + (_MAX_WAIT_S if wait else 0.0)
        for thread in list(self._started_threads):
            thread.join(max(0.0, give_up_at - time.monotonic()))


def run_until_complete(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, like `asyncio.run`; Any: what it sends and yields is its own.

    `asyncio.run` itself would never return if a thread of a tracker or a data set hangs.

    Raises:
        PluginError: a plugin called `sys.exit` in a task or callback of its own.
    """

    async def with_threads() -> T:
        asyncio.get_running_loop().set_default_executor(_AbandoningThreadPool())
        return await work

    try:
        return asyncio.run(with_threads())
    except SystemExit as err:  # the event loop lets one of a plugin's own task through
        raise PluginError(
            f"a plugin ended the process: {describe_error(err)}",
            hint="this is a bug in the plugin; what is finished is kept, the same command goes on",
        ) from err
