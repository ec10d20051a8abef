"""One worker's place: who fills it, what it is asked, and what happens if it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayError

from llmeval_core.hooks import LlmevalError
from llmeval_ray_executor.questions import Asked, Questions
from llmeval_ray_executor.wire import COMPANY, Refusal, packed, unpacked_answers
from llmeval_ray_executor.worker import CLOSING_S

_log = logging.getLogger("llmeval")
FOLLOWING_S = 0.002
"""How long new requests are waited for that follow answers, seconds: they come together."""
LONGEST_PAUSE_S = 10.0
"""Longest pause before a worker is replaced, seconds; it doubles while they answer nothing."""


class Member:
    """Keeps one worker at work, and replaces it when it is lost.

    Args:
        number: which place, from 1, for messages.
        questions: where work comes from.
        hire: makes a new actor; Any: Ray's handles have no static type.
        recipe: the pickled `ModelRecipe` that it opens.
        room: most requests that are with it at once.
        max_losses: after so many in a row without an answer between, the place stays empty.
        changed: is called when it becomes ready and when it is no longer.
    """

    def __init__(
        self,
        number: int,
        questions: Questions,
        *,
        hire: Callable[[], Any],
        recipe: bytes,
        room: int,
        max_losses: int,
        changed: Callable[[], None],
    ) -> None:
        self._number = number
        self._questions = questions
        self._hire = hire
        self._recipe = recipe
        self._room = room
        self._max_losses = max_losses
        self._changed = changed
        self._actor: Any = None  # Any: see `hire`
        self._news = asyncio.Event()
        self._under_way: dict[int, Asked] = {}
        self._withdrawn: list[int] = []
        self._n_losses = 0
        self.ready = False
        self.refusal: LlmevalError | None = None

    async def work(self) -> None:
        """Work until cancelled, or until too many workers in a row were lost."""
        while self._n_losses <= self._max_losses:
            if self._n_losses > 1:
                await asyncio.sleep(min(LONGEST_PAUSE_S, 0.25 * 2**self._n_losses))
            why: str | None = None
            try:
                why = await self._fill()
            except RayError as err:
                why = _reason(err)
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
        await _until_one_fails(self._send(), self._receive())
        return "it ended"

    async def _send(self) -> None:
        while True:
            self._news.clear()
            if self._withdrawn:
                withdrawn, self._withdrawn = self._withdrawn, []
                await self._actor.drop.remote(withdrawn)
            n_under_way = len(self._under_way)
            room = 0 if self._has_suspect() else self._room - n_under_way
            taken = self._questions.take(room=room, n_under_way=n_under_way) if room > 0 else []
            if taken:
                for asked in taken:
                    self._under_way[asked.number] = asked
                    asked.withdraw = partial(self._withdraw, asked.number)
                questions = [(asked.number, asked.request) for asked in taken]
                await self._actor.give.remote(packed(questions))
                continue
            if room > 0:
                self._questions.wake_when_more(self._news, n_under_way)
            await self._news.wait()
            if len(self._under_way) > COMPANY:
                await asyncio.sleep(FOLLOWING_S)

    def _withdraw(self, number: int) -> None:
        """Let the worker stop with a request; what it had of its room is free when it did."""
        self._withdrawn.append(number)
        self._news.set()

    def _has_suspect(self) -> bool:
        """Whether it has a request that is asked alone."""
        return len(self._under_way) == 1 and next(iter(self._under_way.values())).is_suspect

    async def _receive(self) -> None:
        while True:
            answers: bytes = await self._actor.take.remote()
            for number, outcome in unpacked_answers(answers):
                asked = self._under_way.pop(number)
                self._questions.returned()
                if asked.answer.done():
                    continue  # nobody waits for it any more
                if isinstance(outcome, Refusal):
                    asked.answer.set_exception(outcome.error())
                else:
                    asked.answer.set_result(outcome)
            self._n_losses = 0
            self._news.set()

    def _empty(self, why: str | None) -> None:
        """Let the worker go, if it is still there, and ask again what it had."""
        actor, self._actor = self._actor, None
        lost, self._under_way = self._under_way, {}
        self._withdrawn = []
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


async def _until_one_fails(*loops: Coroutine[Any, Any, None]) -> None:
    """Run loops that never end by themselves until one raises; Any: what they send is unused."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reason(err: RayError) -> str:
    """Say in a line how a worker was lost; Ray's own messages have many."""
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return f"{type(err).__name__}: {lines[0]}" if lines else type(err).__name__
