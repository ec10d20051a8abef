"""The order of an item's questions, whoever answers first.

Where an item asks several questions at once, the order in which they are followed up depends on who
answers first, and must not be seen in a result. So a question has a place: the questions of one
asyncio task are numbered, and those of a task that it started come after the question that was its
last one then, task by task.

    ask 1 ─▶ ask 2 ─┬▶ ask 2.1.1 ─▶ ask 2.1.2 ─┬▶ ask 3
                    └▶ ask 2.2.1 ─▶ ask 2.2.2 ─┘
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import ContextVar

Place = tuple[int, ...]
_last_place: ContextVar[Place] = ContextVar("last_place", default=())
"""The place of the last question of this asyncio task, or of the one that started it."""


class TurnPlaces:
    """Gives the questions of an item their places."""

    def __init__(self) -> None:
        self._n_started: Counter[Place] = Counter()
        self._tasks: dict[asyncio.Task[object] | None, Place] = {}
        self._n_asked: Counter[Place] = Counter()

    def next(self) -> Place:
        """Return the place of a question that is asked now, in this asyncio task."""
        task = asyncio.current_task()
        path = self._tasks.get(task)
        if path is None:
            start = _last_place.get()
            self._n_started[start] += 1
            path = self._tasks[task] = (*start, self._n_started[start])
        self._n_asked[path] += 1
        place = (*path, self._n_asked[path])
        _last_place.set(place)
        return place
