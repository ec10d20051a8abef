"""An event loop whose clock jumps to the next alarm, for tests of what waits."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing
from typing import Any, ParamSpec

_P = ParamSpec("_P")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs an hour of sleeping in no time, exactly.

    `time()` begins at 1000 and moves only when nothing is left to do but wait. Not for code
    that waits for threads or sockets: time would jump meanwhile.
    """

    def __init__(self) -> None:
        self._now = 1000.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the virtual time, seconds."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Move the clock; back, if negative."""
        self._now += seconds


def virtual_time(
    test: Callable[_P, Coroutine[Any, Any, None]],
) -> Callable[_P, None]:
    """Let an async test run in a `VirtualTimeLoop`; Any: what coroutines send is not used."""

    @functools.wraps(test)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        with closing(VirtualTimeLoop()) as loop:
            loop.run_until_complete(test(*args, **kwargs))

    return run


class _JumpingSelector(selectors.BaseSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._real = selectors.DefaultSelector()
        self._loop = loop

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._real.select(timeout)
        found = self._real.select(0)
        if not found:
            self._loop.jump(timeout)
        return found

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()
