"""The items of a task that asks as it likes: each runs by itself, many side by side.

    read ──▶ open ──answer──▶ answered ──score──▶ finished (in the journal)
               │                 │
               └─────────────────┴── stopped, put away, or the process died: only answers are kept

An item that did not finish runs again from its beginning; what it asked is found by fingerprint.
So many items are open that every model it asks has enough to do, and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable

from llmeval_core.concurrency import cancel_and_wait
from llmeval_core.contracts import MODEL, Item, Task, TimeLimit, UnansweredError
from llmeval_core.engine.item_ask import ItemAsk
from llmeval_core.engine.item_checks import checked_answers, checked_scores
from llmeval_core.engine.item_source import NumberedItem
from llmeval_core.engine.prompted_task import UnusableItemError
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.errors import (
    FailureKind,
    LlmevalError,
    PluginError,
    describe_error,
    must_propagate,
)
from llmeval_core.records import Failure, Generation, Turn
from llmeval_core.scoring import HINT_OF_ASKING, MetricScores, unanswered

_LAST_SCORING_S = 5.0
"""How long scoring may take that asks nothing, when the time is over."""


@dataclass(frozen=True, slots=True)
class ItemEnd:
    """How an item ended.

    Args:
        index, item: which.
        turns: what was asked, in order.
        answers: what was scored, or would have been.
        scores: by metric, or why the metric could not score it; empty if the item failed.
        failure: why the item has no score at all; None if it has.
        is_unanswered: whether the evaluated model did not answer.
    """

    index: int
    item: Item
    turns: tuple[Turn, ...]
    answers: tuple[Generation, ...]
    scores: MetricScores
    failure: Failure | None = None
    is_unanswered: bool = False


class ItemRun:
    """Runs the items of one task.

    Args:
        task: what is asked, and how it is scored.
        begin_ask: makes the `ask` of an item by its sample's id, with what puts the item away.
        read: gives the next items that are to be finished; blocks.
        finish: keeps a finished item, and tells.
        stop_signal: when set, no item begins, and nothing new is asked.
        n_at_once: items that are open at once at most.
        time_limit: when all that is not finished has failed; None for never.

    Attributes:
        n_open: items that are open.
        n_put_away: items that can go on only when another model is open.
        was_cut_off: whether an item was stopped before its end.
        n_outdated: items that are to be run once more, because an answer was replaced meanwhile.
    """

    def __init__(
        self,
        task: Task,
        *,
        begin_ask: Callable[[str, Callable[[], None]], ItemAsk],
        read: Callable[[], Sequence[NumberedItem]],
        finish: Callable[[ItemEnd], Awaitable[None]],
        stop_signal: StopSignal,
        n_at_once: int,
        time_limit: TimeLimit | None = None,
    ) -> None:
        self._task = task
        self._begin_ask = begin_ask
        self._read = read
        self._finish = finish
        self._stop_signal = stop_signal
        self._n_at_once = n_at_once
        self._time_limit = time_limit
        self._metrics = tuple(task.metrics)
        self._open: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._error: BaseException | None = None
        self._all_read = False
        self.n_put_away = 0
        self.was_cut_off = False
        self.n_outdated = 0

    @property
    def n_open(self) -> int:
        """Items that are open."""
        return len(self._open)

    async def run(self) -> None:
        """Bring every item to its end; the first error ends all.

        When the run is stopped, open items go on to the first question that nobody answered: one
        that has all of its answers is finished.

        Raises:
            LlmevalError: the task is wrong, a model cannot be used, or the journal failed.
        """
        watching = asyncio.create_task(self._watch())
        try:
            while self._goes_on and not self._all_read:
                batch = await asyncio.to_thread(self._read)
                self._all_read = not batch
                for index, item in batch:
                    await self._wait_until(lambda: len(self._open) < self._n_at_once)
                    if not self._goes_on:
                        break
                    self._begin(index, item)
            while self._open and self._error is None:
                await self._wait_for_change()
        finally:
            self.was_cut_off |= bool(self._open) or not self._all_read
            await cancel_and_wait((watching, *self._open))
        if self._error is not None:
            raise self._error

    @property
    def _goes_on(self) -> bool:
        return self._error is None and not self._stop_signal.is_set()

    async def _wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that an item's end brings about, or for the end of all."""
        while self._goes_on and not is_so():
            await self._wait_for_change()

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _watch(self) -> None:
        """Wake who waits when the run is stopped."""
        await self._stop_signal.wait()
        self._changed.set()

    def _begin(self, index: int, item: Item) -> None:
        one = asyncio.create_task(self._run_item(index, item))
        self._open.add(one)
        one.add_done_callback(self._ended)

    def _ended(self, one: asyncio.Task[None]) -> None:
        self._open.discard(one)
        error = None if one.cancelled() else one.exception()
        self._error = self._error or error
        self._changed.set()

    async def _run_item(self, index: int, item: Item) -> None:
        running = asyncio.current_task()
        assert running is not None
        is_put_away = False

        def put_away() -> None:
            nonlocal is_put_away
            self.n_put_away += not is_put_away
            is_put_away = True
            running.cancel()

        ask = self._begin_ask(item.sample.id, put_away)
        end = await self._run_in_time(index, item, ask)
        if ask.error is not None:
            raise ask.error
        if ask.was_stopped:
            self.was_cut_off = True
            return
        if ask.is_outdated:
            self.n_outdated += 1
        else:
            await self._finish(end)

    async def _run_in_time(self, index: int, item: Item, ask: ItemAsk) -> ItemEnd:
        """Run an item to its end, or to the end of the time.

        An answer that is there by then is scored as far as that asks nothing new.
        """
        answered: list[tuple[Generation, ...]] = []
        try:
            async with asyncio.timeout_at(self._time_limit.at if self._time_limit else None):
                return await self._answer_and_score(index, item, ask, answered)
        except TimeoutError:
            assert self._time_limit is not None
            late = Failure("time_limit", f"no answer before {self._time_limit.name} was over")
            unscored = Failure("time_limit", f"no score before {self._time_limit.name} was over")
        if not answered:
            return ItemEnd(index, item, ask.turns, (), {}, late, is_unanswered=True)
        ask.end(late)
        try:
            async with asyncio.timeout(_LAST_SCORING_S):
                return await self._score(index, item, answered[0], ask)
        except TimeoutError:
            return ItemEnd(index, item, ask.turns, answered[0], {}, unscored)

    async def _answer_and_score(
        self, index: int, item: Item, ask: ItemAsk, answered: list[tuple[Generation, ...]]
    ) -> ItemEnd:
        """Run an item to its end; its answers are put into `answered`."""
        try:
            answers = checked_answers(await self._task.answer(item, ask))
        except BaseException as err:  # plugin boundary: a task is foreign code
            if must_propagate(err):
                raise
            is_unanswered = not _is_of_another_role(err)
            failure = _failure(err, is_scoring=False)
            return ItemEnd(index, item, ask.turns, (), {}, failure, is_unanswered=is_unanswered)
        answered.append(answers)
        return await self._score(index, item, answers, ask)

    async def _score(
        self, index: int, item: Item, answers: tuple[Generation, ...], ask: ItemAsk
    ) -> ItemEnd:
        """Score the answers of an item."""
        try:
            scored = self._task.score(item, answers, ask)
            scores = checked_scores(await scored if isawaitable(scored) else scored, self._metrics)
        except BaseException as err:  # plugin boundary: a task is foreign code
            if must_propagate(err):
                raise
            failure = _failure(err, is_scoring=True)
            return ItemEnd(index, item, ask.turns, answers, {}, failure)
        return ItemEnd(index, item, ask.turns, answers, scores)


def _is_of_another_role(err: BaseException) -> bool:
    return isinstance(err, UnansweredError) and err.role != MODEL


def _failure(err: BaseException, *, is_scoring: bool) -> Failure:
    """Say why an item was not answered or scored: the item, its surroundings, or a bug."""
    if isinstance(err, UnusableItemError):
        return err.failure
    if isinstance(err, UnansweredError) and err.role == MODEL and not is_scoring:
        return err.failure
    if isinstance(err, UnansweredError):
        return unanswered(err)
    reason, hint = describe_error(err), HINT_OF_ASKING if is_scoring else None
    kind: FailureKind = "metric" if is_scoring else "prompt"
    if isinstance(err, LlmevalError):
        reason, hint = err.what, err.hint or hint
        if isinstance(err, PluginError) and not is_scoring:
            kind = "plugin"
    elif isinstance(err, ValueError):
        reason = reason.removeprefix(f"{type(err).__name__}: ")
    elif not isinstance(err, OSError):
        kind = "metric" if is_scoring else "plugin"
        reason = f"{reason} (a bug in the task; tell its author)"
    return Failure(kind, reason, hint)
