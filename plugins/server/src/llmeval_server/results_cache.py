"""The journal's task results and leaderboards in memory; only what is new is read from disk."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llmeval_core.api import (
    ConditionChange,
    ConditionMismatch,
    JournalQueries,
    Leaderboard,
    condition_differences,
    make_leaderboard,
)
from llmeval_core.hooks import TaskResult
from llmeval_server.journal_access import journal_reader
from llmeval_server.leaderboard_columns import LeaderboardColumn, columns_of

MAX_LEADERBOARDS = 16
"""How many leaderboards are kept; the least recently used one is dropped first."""


@dataclass(frozen=True, slots=True)
class LeaderboardFilter:
    """The results that a leaderboard is made of.

    Args:
        models: only these; all if empty.
        datasets: only these; all if empty.
        categories: whether the keys of categories are included.
    """

    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    categories: bool = False


@dataclass(frozen=True, slots=True)
class CachedResults:
    """All results at one moment.

    Args:
        version: increases with new results; 0 before the first.
        results: the results, oldest first.
    """

    version: int
    results: tuple[TaskResult, ...]


class CachedLeaderboard:
    """A leaderboard with what is derived from it when it is first needed.

    Args:
        version: that of the results.
        board: the leaderboard.
    """

    def __init__(self, version: int, board: Leaderboard) -> None:
        self.version = version
        self.board = board

    @cached_property
    def columns(self) -> tuple[LeaderboardColumn, ...]:
        """All columns."""
        return columns_of(self.board)

    @cached_property
    def differences(self) -> list[ConditionChange | ConditionMismatch]:
        """The conditions that changed, or that differ between models."""
        return condition_differences(self.board)


class ResultsCache:
    """Caches the results of a journal; all calls block, and may come from several threads.

    Args:
        home: the folder of the journal.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._cached = CachedResults(0, ())
        self._leaderboards: OrderedDict[LeaderboardFilter, CachedLeaderboard] = OrderedDict()

    def snapshot(self) -> CachedResults:
        """Return all results.

        Raises:
            JournalError: the journal cannot be read.
        """
        with self._lock, journal_reader(self._home) as reader:
            self._cached = CachedResults(0, ()) if reader is None else self._refreshed(reader)
            return self._cached

    def leaderboard(self, wanted: LeaderboardFilter) -> CachedLeaderboard:
        """Return the leaderboard of some results.

        Raises:
            JournalError: the journal cannot be read.
        """
        now = self.snapshot()
        with self._lock:
            cached = self._leaderboards.get(wanted)
        if cached is None or cached.version != now.version:
            board = make_leaderboard(
                now.results,
                models=wanted.models,
                datasets=wanted.datasets,
                categories=wanted.categories,
            )
            cached = CachedLeaderboard(now.version, board)
        with self._lock:
            self._leaderboards[wanted] = cached
            self._leaderboards.move_to_end(wanted)
            if len(self._leaderboards) > MAX_LEADERBOARDS:
                self._leaderboards.popitem(last=False)
        return cached

    def _refreshed(self, reader: JournalQueries) -> CachedResults:
        version, known = reader.n_results(), self._cached
        if version == known.version:
            return known
        if version > known.version > 0:
            # From the last known result on: if it is another one now, the journal was replaced.
            last, *new = reader.results(after=known.version - 1)
            if last.id == known.results[-1].id:
                return CachedResults(version, (*known.results, *new))
        return CachedResults(version, tuple(reader.results()))
