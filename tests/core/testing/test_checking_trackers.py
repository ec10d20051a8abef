"""`check_tracker` finds every broken promise."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmeval_core.contracts import Readiness, Receipt, RunInfo
from llmeval_core.errors import TrackerError
from llmeval_core.records import TaskResult
from llmeval_core.testing import ListTracker, check_tracker

Row = tuple[str, str, float]


class Board:
    """Where trackers of a test write, and what can be wrong with them.

    Args:
        refuse: what it raises while it is broken.
        forgets: whether each tracker knows only what it delivered itself.
        keeps: which of the rows of a key are shown.
    """

    def __init__(
        self,
        *,
        refuse: Callable[[], Exception | None] = lambda: TrackerError("away"),
        forgets: bool = False,
        keeps: str = "newest",
        zero_for_unknown: bool = False,
    ) -> None:
        self.refuse = refuse
        self.forgets = forgets
        self.keeps = keeps
        self.zero_for_unknown = zero_for_unknown
        self.broken = False
        self.ids: set[str] = set()
        self.rows: list[Row] = []

    def tracker(self) -> BoardTracker:
        return BoardTracker(self)

    def read(self) -> list[Row]:
        if self.keeps == "all":
            return self.rows
        rows = self.rows if self.keeps == "newest" else self.rows[::-1]
        return [(m, k, v) for (m, k), v in {(m, k): v for m, k, v in rows}.items()]

    @contextmanager
    def out_of_order(self) -> Iterator[None]:
        self.broken = True
        yield
        self.broken = False


class BoardTracker:
    """Writes to a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._ids: set[str] = set() if board.forgets else board.ids

    async def open(self, run: RunInfo) -> None:
        """Need nothing."""

    async def deliver(self, result: TaskResult) -> Receipt:
        board = self._board
        if board.broken and (error := board.refuse()) is not None:
            raise error
        if result.id not in self._ids:
            self._ids.add(result.id)
            for metric in result.metrics:
                value = metric.aggregate.value
                if value is not None or board.zero_for_unknown:
                    board.rows.append((result.model, metric.key, value or 0.0))
        return Receipt()

    async def close(self) -> None:
        """Keep nothing open."""


async def check(board: Board, home: Path, *, break_it: bool = False) -> None:
    broken = board.out_of_order if break_it else None
    await check_tracker(board.tracker, home, read=board.read, broken=broken)


async def test_a_good_tracker_passes(tmp_path: Path) -> None:
    await check(Board(), tmp_path, break_it=True)


async def test_what_the_kit_offers_passes(tmp_path: Path) -> None:
    tracker = ListTracker()

    def newest() -> list[Row]:
        values = {
            (result.model, metric.key): metric.aggregate.value
            for result in tracker.results
            for metric in result.metrics
        }
        return [(model, key, value) for (model, key), value in values.items() if value is not None]

    @contextmanager
    def away() -> Iterator[None]:
        tracker.away = True
        yield
        tracker.away = False

    await check_tracker(lambda: tracker, tmp_path, read=newest, broken=away)


@pytest.mark.parametrize(
    ("board", "message"),
    [
        (Board(keeps="all", forgets=True), "after a replay after a crash: a key is shown"),
        (Board(keeps="all"), "after a lower value, another data set, and a value that is unknown"),
        (Board(keeps="oldest"), "after a lower value, another data set, and a value that is"),
        (
            Board(zero_for_unknown=True),
            "after a lower value, another data set, and a value that is unknown: it shows more",
        ),
        (
            Board(refuse=lambda: None),
            "it took a result although what it writes to is broken",
        ),
        (
            Board(refuse=lambda: OSError("disk")),
            "it raises OSError; only TrackerError is understood",
        ),
        (
            Board(refuse=lambda: TrackerError("no", permanent=True)),
            "the error is permanent: the result would never come again",
        ),
    ],
)
async def test_a_broken_promise_is_named(board: Board, message: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        await check(board, tmp_path, break_it=True)

    assert str(caught.value).startswith(message)


async def test_a_check_that_gives_nothing_is_found(tmp_path: Path) -> None:
    class Silent(BoardTracker):
        def check(self, home: Path) -> None:
            """Say nothing."""

    board = Board()
    with pytest.raises(AssertionError, match=r"check\(\) gave a NoneType, not a Readiness"):
        await check_tracker(lambda: Silent(board), tmp_path, read=board.read)


async def test_a_check_that_writes_is_found(tmp_path: Path) -> None:
    class Writing(BoardTracker):
        def check(self, home: Path) -> Readiness:
            (home / "probe").touch()
            return Readiness()

    board = Board()
    with pytest.raises(AssertionError, match=r"check\(\) writes files"):
        await check_tracker(lambda: Writing(board), tmp_path, read=board.read)


async def test_a_check_that_connects_is_found(tmp_path: Path) -> None:
    class Asking(BoardTracker):
        def check(self, home: Path) -> Readiness:
            socket.create_connection(("127.0.0.1", 1))
            return Readiness()

    board = Board()
    with pytest.raises(AssertionError, match=r"check\(\) uses the network"):
        await check_tracker(lambda: Asking(board), tmp_path, read=board.read)
