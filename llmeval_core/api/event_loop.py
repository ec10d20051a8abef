"""The event loop of a run, which waits for its plugins' threads only so long."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from llmeval_core.containing import THREAD_NAME
from llmeval_core.errors import PluginError, describe_error

T = TypeVar("T")
_PATIENCE_S = 2.0


class _Threads(ThreadPoolExecutor):
    """Runs what blocks; at the end, a thread that hangs in a plugin is left behind."""

    def __init__(self) -> None:
        self._begun: list[threading.Thread] = []
        super().__init__(
            thread_name_prefix=THREAD_NAME,
            initializer=lambda: self._begun.append(threading.current_thread()),
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for every thread together no longer than a moment."""
        super().shutdown(wait=False, cancel_futures=True)
        give_up_at = time.monotonic() + (_PATIENCE_S if wait else 0.0)
        for thread in list(self._begun):
            thread.join(max(0.0, give_up_at - time.monotonic()))


def run_until_complete(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, like `asyncio.run`; Any: what it sends and yields is its own.

    `asyncio.run` alone would wait for ever for a tracker or a data set whose thread hangs.

    Raises:
        PluginError: a plugin called `sys.exit` where nobody waits for it.
    """

    async def with_threads() -> T:
        asyncio.get_running_loop().set_default_executor(_Threads())
        return await work

    try:
        return asyncio.run(with_threads())
    except SystemExit as err:  # of a task that a plugin began: the event loop lets it through
        raise PluginError(
            f"a plugin ended the process: {describe_error(err)}",
            hint="this is a bug in the plugin; what is finished is kept, the same command goes on",
        ) from err
