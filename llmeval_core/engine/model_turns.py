"""Models that work in a process take turns: only those are open together that a task asks together.

A task holds a turn for the models that it asks. It begins when every model that others hold is one
of its own, or every one of its own is held already; so what is open is what one single task asks,
and no task waits for a model whose place another one holds that waits for it. What nobody holds is
closed before another model may be opened, and opened again when it is asked next. Models behind
servers need no turn.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from llmeval_core.engine.model_handle import ModelHandle


class ModelTurns:
    """Gives turns to tasks.

    Args:
        handles: those of all models of the run that work in a process.
    """

    def __init__(self, handles: Collection[ModelHandle]) -> None:
        self._handles = handles
        self._held: Counter[ModelHandle] = Counter()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def turn(self, wanted: Collection[ModelHandle]) -> AsyncIterator[None]:
        """Hold these models while the block lasts; waits for tasks that hold others."""
        mine = {handle for handle in wanted if handle in self._handles}
        if not mine:
            yield
            return
        async with self._changed:
            await self._changed.wait_for(lambda: self._can_begin(mine))
            self._held.update(mine)
            for handle in self._handles:
                if not self._held[handle]:
                    await handle.aclose()
        try:
            yield
        finally:
            async with self._changed:
                self._held.subtract(mine)
                self._changed.notify_all()

    def _can_begin(self, mine: set[ModelHandle]) -> bool:
        held = set(+self._held)
        return held <= mine or mine <= held
