"""A run in a thread and an event loop of its own, so that it can be called from anywhere.

A notebook's cell, and every `async` function, runs inside an event loop, which cannot run another
one. The thread that calls only waits, shows progress, and can stop the run.

States of a run: planning, when there is no loop yet; running; done. A wish to stop is kept until
there is a loop that can take it. The first one lets requests under way finish, the second one
cancels the run.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from llmeval_core.api import run_until_complete

T = TypeVar("T")
_LOOK_EVERY_S = 0.2
"""Seconds between two looks at the progress."""
_PATIENCE_S = 5.0
"""How long a run that is cancelled may take, seconds; then its thread is left behind."""


class StopSwitch:
    """Stops a run from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None  # Any: whatever the run returns
        self._stop: asyncio.Event | None = None
        self._n_wishes = 0

    @property
    def is_used(self) -> bool:
        """Whether anybody wants the run to stop."""
        return self._n_wishes > 0

    def use(self) -> int:
        """Stop the run: cleanly the first time, at once the second; return which time it is."""
        with self._lock:
            self._n_wishes += 1
            self._pass_on()
            return self._n_wishes

    def run(self, work: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine in a new event loop; it is given the event that asks it to stop.

        Any: what it sends and yields is its own.
        """
        return run_until_complete(self._connected(work))

    async def _connected(self, work: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
        stop = asyncio.Event()
        with self._lock:
            self._loop, self._stop = asyncio.get_running_loop(), stop
            self._task = asyncio.current_task()
            self._pass_on()
        try:
            return await work(stop)
        finally:
            with self._lock:
                self._loop = None  # it is closed soon, and takes no more calls

    def _pass_on(self) -> None:
        if self._loop is None or self._stop is None or self._task is None:
            return
        if self._n_wishes > 0:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._n_wishes > 1:
            self._loop.call_soon_threadsafe(self._task.cancel)


class BackgroundRun(Generic[T]):
    """Work in a thread of its own, which begins when somebody waits for it.

    Args:
        work: done there; it is given the switch that stops it.
        on_stop: called in the waiting thread when a run is stopped.
    """

    def __init__(self, work: Callable[[StopSwitch], T], *, on_stop: Callable[[], None]) -> None:
        self._switch = StopSwitch()
        self._on_stop = on_stop
        self._future: concurrent.futures.Future[T] = concurrent.futures.Future()

        def carry_out() -> None:
            try:
                self._future.set_result(work(self._switch))
            except BaseException as err:  # noqa: BLE001  it is raised again where somebody waits
                self._future.set_exception(err)

        # A daemon, because a model or a tracker that hangs must not keep the process.
        self._thread = threading.Thread(target=carry_out, name="llmeval-run", daemon=True)

    def wait(self, look: Callable[[], None]) -> T:
        """Begin, wait for the end, and look at the progress meanwhile.

        Raises:
            KeyboardInterrupt: Ctrl-C stopped the run; it ended cleanly unless that came twice.
        """
        is_told = False
        while True:
            try:
                if self._thread.ident is None:
                    self._thread.start()
                if self._switch.is_used and not is_told:
                    is_told = True
                    self._on_stop()
                while not self._is_done(_LOOK_EVERY_S):
                    look()
                break
            except KeyboardInterrupt:
                if self._switch.use() > 1:
                    self._is_done(_PATIENCE_S)
                    raise
        if self._switch.is_used:
            raise KeyboardInterrupt
        return self._future.result()

    async def wait_async(self, look: Callable[[], None]) -> T:
        """Begin, and wait for the end without blocking the caller's event loop.

        Who cancels this stops the run; it ends cleanly before the CancelledError goes on, unless
        that comes twice.
        """
        self._thread.start()
        future = asyncio.wrap_future(self._future)
        # Who does not wait any longer wants no log line of how it ended.
        future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        try:
            while not (await asyncio.wait((future,), timeout=_LOOK_EVERY_S))[0]:
                look()
        except asyncio.CancelledError:
            self._switch.use()
            self._on_stop()
            try:
                await asyncio.wait((future,))
            except asyncio.CancelledError:
                self._switch.use()
            raise
        return future.result()

    def _is_done(self, within_s: float) -> bool:
        return bool(concurrent.futures.wait((self._future,), timeout=within_s).done)
