"""One worker's place: who fills it, what it is asked, and what happens if it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NoReturn

import ray
from ray.exceptions import RayError

from llmeval_core.hooks import LlmevalError
from llmeval_ray_executor.questions import Asked, Questions
from llmeval_ray_executor.resting import Rest
from llmeval_ray_executor.speed import Speed
from llmeval_ray_executor.terms import Terms
from llmeval_ray_executor.wire import Question, Refusal, packed, unpacked_answers
from llmeval_ray_executor.worker import CLOSING_S

_log = logging.getLogger("llmeval")
FOLLOWING_ROUNDS = 8
"""Rounds of the event loop in which the requests come that follow answers."""
AHEAD_S = 0.2
"""What waits with a worker is done in this time, seconds: enough for a message there and back, and
little is asked again if the worker is lost."""
HANGING_S = 10.0
"""A worker that tells nothing for so much longer than a request may take is lost, seconds."""
LONGEST_PAUSE_S = 10.0
"""Longest pause before a worker is replaced, seconds; it doubles while they answer nothing."""


class Member:
    """Keeps one worker at work, and replaces it when it is lost.

    Args:
        number: which place, from 1, for messages.
        questions: where work comes from.
        hire: makes a new actor; Any: Ray's handles have no static type.
        recipe: the pickled `ModelRecipe` that it opens.
        terms: what is asked of it.
        changed: is called when it becomes ready and when it is no longer.
    """

    def __init__(
        self,
        number: int,
        questions: Questions,
        *,
        hire: Callable[[], Any],
        recipe: bytes,
        terms: Terms,
        changed: Callable[[], None],
    ) -> None:
        self._number = number
        self._questions = questions
        self._hire = hire
        self._recipe = recipe
        self._terms = terms
        self._patience_s = terms.request_timeout_s + HANGING_S
        self._speed = Speed()
        self._rest = Rest()
        self._heard_at = 0.0
        self._changed = changed
        self._actor: Any = None  # Any: see `hire`
        self._answers: asyncio.Task[bytes] | None = None
        self._news = asyncio.Event()
        self._under_way: dict[int, Asked] = {}
        self._withdrawn: list[int] = []
        self._n_losses = 0
        self.ready = False
        self.refusal: LlmevalError | None = None

    @property
    def room(self) -> int:
        """How many requests may be with it now, once it is ready."""
        if self._terms.rests and self._rest.on_trial:
            return 1
        per_s = self._speed.per_s(asyncio.get_running_loop().time())
        return self._terms.at_once + min(self._terms.ahead, round(AHEAD_S * per_s))

    async def work(self) -> None:
        """Work until cancelled, or until too many workers in a row were lost."""
        while self._n_losses <= self._terms.max_losses:
            if self._n_losses > 1:
                await asyncio.sleep(min(LONGEST_PAUSE_S, 0.25 * 2**self._n_losses))
            why: str | None = None
            try:
                why = await self._fill()
            except RayError as err:
                why = _reason(err)
            except TimeoutError:
                why = f"it has told nothing for {self._patience_s:g} s"
            finally:
                self._empty(why)
            self._n_losses += 1
            if self.refusal is not None and not self._questions.n_workers:
                return

    async def close(self) -> None:
        """Let the worker close its model; ends it in any case when `work` is cancelled."""
        if self.ready:
            with contextlib.suppress(RayError, TimeoutError):
                async with asyncio.timeout(CLOSING_S + 1):
                    await self._actor.close.remote()

    async def _fill(self) -> str:
        """Hire a worker and work with it; returns why it is no use."""
        self._actor = self._hire()
        opened: str | Refusal = await self._actor.open.remote(self._recipe)
        if isinstance(opened, Refusal):
            self.refusal = opened.error()
            return opened.what
        _log.info("Ray worker %d is ready: %s", self._number, opened)
        self.ready = True
        self._changed()
        try:
            await self._converse()
        finally:
            if self._answers is not None:
                self._answers.cancel()
                await asyncio.wait({self._answers})
                self._answers = None

    async def _converse(self) -> NoReturn:
        """Exchange requests for answers until the worker is lost."""
        while True:
            self._news.clear()
            if self._answers is not None and self._answers.done():
                self._receive(self._answers.result())
                self._answers = None
                for _ in range(FOLLOWING_ROUNDS):
                    await asyncio.sleep(0)
            await self._tell_withdrawn()
            questions = self._take()
            if self._answers is None:
                self._answers = asyncio.create_task(self._exchange(packed(questions)))
                self._answers.add_done_callback(self._wake)
            elif questions:
                await self._patiently(self._actor.give.remote(packed(questions)))
            else:
                await self._patiently(self._news.wait())

    async def _patiently(self, awaited: Awaitable[object]) -> None:
        """Wait, but while requests are with the worker no longer than it may be silent."""
        until = self._heard_at + self._patience_s if self._under_way else None
        async with asyncio.timeout_at(until):
            await awaited

    async def _exchange(self, questions: bytes) -> bytes:
        answers: bytes = await self._actor.exchange.remote(questions)
        return answers

    def _take(self) -> list[Question]:
        """Take what the worker has room for; if there is nothing, more is told as news."""
        self._questions.no_longer_idle(self._news)
        n_under_way = len(self._under_way)
        room = 0 if self._has_suspect() or self._has_rest() else self.room - n_under_way
        if room <= 0:
            return []
        taken = self._questions.take(self, room=room, n_under_way=n_under_way)
        if taken and not n_under_way:
            self._heard_at = asyncio.get_running_loop().time()
        if not taken:
            self._questions.wake_when_more(self._news, n_under_way)
        for asked in taken:
            self._under_way[asked.number] = asked
            asked.withdraw = partial(self._withdraw, asked.number)
        return [(asked.number, asked.request) for asked in taken]

    async def _tell_withdrawn(self) -> None:
        if self._withdrawn:
            withdrawn, self._withdrawn = self._withdrawn, []
            await self._patiently(self._actor.drop.remote(withdrawn))

    def _wake(self, answers: asyncio.Task[bytes]) -> None:
        self._news.set()

    def _withdraw(self, number: int) -> None:
        """Let the worker stop with a request; what it had of its room is free when it did."""
        self._withdrawn.append(number)
        self._news.set()

    def _has_suspect(self) -> bool:
        """Whether it has a request that is asked alone."""
        return len(self._under_way) == 1 and next(iter(self._under_way.values())).is_suspect

    def _has_rest(self) -> bool:
        """Whether it gets nothing because it refuses; if so, looks again later."""
        loop = asyncio.get_running_loop()
        left_s = self._rest.left_s(loop.time()) if self._terms.rests else 0.0
        if left_s > 0:
            loop.call_later(left_s, self._news.set)
        return left_s > 0

    def _receive(self, message: bytes) -> None:
        answers = unpacked_answers(message)
        self._heard_at = asyncio.get_running_loop().time()
        n_good = sum(not isinstance(outcome, Refusal) for _, outcome in answers)
        self._speed.note(n_good, self._heard_at)
        self._rest.note((outcome for _, outcome in answers), self._heard_at)
        for number, outcome in answers:
            asked = self._under_way.pop(number)
            self._questions.returned()
            if asked.answer.done():
                continue  # nobody waits for it any more
            if isinstance(outcome, Refusal):
                asked.answer.set_exception(outcome.error())
            else:
                asked.answer.set_result(outcome)
        self._n_losses = 0

    def _empty(self, why: str | None) -> None:
        """Let the worker go, if it is still there, and ask again what it had."""
        actor, self._actor = self._actor, None
        lost, self._under_way = self._under_way, {}
        self._withdrawn = []
        self._speed, self._rest = Speed(), Rest()
        was_ready, self.ready = self.ready, False
        if actor is not None:
            with contextlib.suppress(RayError):
                ray.kill(actor, no_restart=True)
        if why is not None:
            _log.warning(
                "Ray worker %d was lost: %s; %d requests are asked again",
                self._number,
                why,
                len(lost),
            )
        if was_ready:
            self._changed()
        self._questions.give_back(lost.values(), why)


def _reason(err: RayError) -> str:
    """Say in a line how a worker was lost; Ray's own messages have many."""
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return f"{type(err).__name__}: {lines[0]}" if lines else type(err).__name__
