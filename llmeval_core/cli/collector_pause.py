"""Python's cyclic garbage collector, paused while a command reads many records and ends."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Collect no garbage while the block lasts.

    Records that are read have no cycles, and nothing is freed before they are shown: looking at
    5,000 of them again and again took 0.3 of 0.7 seconds.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
