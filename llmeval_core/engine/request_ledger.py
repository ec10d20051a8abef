"""Who asks which request of one model, so that an equal one is asked once, whoever wants it.

The life of a request, by its fingerprint:

    free ──claim──▶ claimed ──resolve──▶ answered ──commit──▶ stored ──forget──▶ free
      ▲                │
      └────release─────┘        (there is no answer, or who claimed it has ended)

* *claimed*: somebody asks it, or looks for its answer. Others wait for what becomes of it.
* *answered*: the journal's writer was given the answer. It is remembered here, and counts at once.
* *stored*: the answer can be read from the journal. Only the fingerprint is remembered.
* *free*: who claims it asks, unless the journal has its answer.

Who wants an answer claims it first. Only then an answer counts that is remembered here, then the
journal; what is in neither is asked. In any other order two tasks that ask the same in another
order ask everything twice: an answer comes between the look into the journal and the claim.

A task looks into the journal for a batch of some hundred samples at once, and claims them later,
one by one. What is stored is therefore remembered until every such task has looked after that; if
it is forgotten earlier, because it was too much, the task looks again for each request it claims.
"""

from __future__ import annotations

import asyncio
import enum
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType

from llmeval_core.records import Generation

MAX_STORED = 20_000
"""Fingerprints that are remembered although the journal has their answers; about 3 MiB."""
_FORGET_EVERY = 256


class Ours(enum.Enum):
    """A request that was free and is ours now; it ends with `resolve` or `release`."""

    TO_ASK = "the journal had no answer when we looked, and none has come since"
    TO_LOOK_UP = "the journal may have an answer by now"


Claim = Generation | asyncio.Future[Generation | None] | Ours
"""The answer, if it is remembered; what will be the answer, or None, if somebody else has claimed
the request; else that it is ours."""


class RequestLedger:
    """The requests of one model in one run; belongs to one event loop.

    Args:
        n_given: tells how much the journal's writer was given so far.
        n_committed: tells how much of that can be read.
    """

    def __init__(self, n_given: Callable[[], int], n_committed: Callable[[], int]) -> None:
        self._n_given = n_given
        self._n_committed = n_committed
        self._claimed: dict[str, LedgerView] = {}
        self._awaited: dict[str, asyncio.Future[Generation | None]] = {}
        self._answered: OrderedDict[str, tuple[int, Generation]] = OrderedDict()
        self._stored: OrderedDict[str, int] = OrderedDict()
        self._views: set[LedgerView] = set()
        self._n_ended = 0
        self.n_forgotten = 0
        """What was given up to this number may be forgotten."""

    @property
    def n_remembered(self) -> int:
        """Requests that are remembered without being claimed."""
        return len(self._answered) + len(self._stored)

    def view(self, *, looks_first: bool) -> LedgerView:
        """Open a view for a task or a service; close it, or use it in a `with`.

        Args:
            looks_first: whether it looks into the journal before it claims, and says so with
                `saw`; else it looks for everything that it claims.
        """
        view = LedgerView(self, looks_first=looks_first)
        self._views.add(view)
        return view

    def claim(self, fingerprint: str, view: LedgerView) -> Claim:
        """Take on a request for a view; see `LedgerView.claim`."""
        if fingerprint in self._claimed:
            return self._future_of(fingerprint)
        known = self._answered.get(fingerprint)
        if known is not None:
            return known[1]
        self._claimed[fingerprint] = view
        if not view.looks_first or view.looked_at < self.n_forgotten or fingerprint in self._stored:
            return Ours.TO_LOOK_UP
        return Ours.TO_ASK

    def _future_of(self, fingerprint: str) -> asyncio.Future[Generation | None]:
        """Make what tells the second who wants it, and all after, how a claim ends."""
        future = self._awaited.get(fingerprint)
        if future is None:
            future = self._awaited[fingerprint] = asyncio.get_running_loop().create_future()
        return future

    def end(
        self, fingerprint: str, view: LedgerView, answer: Generation | None, *, is_new: bool
    ) -> None:
        """End a view's claim, with or without an answer; a new one is remembered."""
        if self._claimed.get(fingerprint) is not view:
            return
        del self._claimed[fingerprint]
        if answer is not None and is_new:
            self._stored.pop(fingerprint, None)
            self._answered[fingerprint] = (self._n_given(), answer)
            self._n_ended += 1
            if self._n_ended % _FORGET_EVERY == 0:
                self.forget()
        future = self._awaited.pop(fingerprint, None) if self._awaited else None
        if future is not None and not future.done():
            future.set_result(answer)

    def claims_of(self, view: LedgerView) -> list[str]:
        """List the requests that a view has claimed."""
        return [fingerprint for fingerprint, owner in self._claimed.items() if owner is view]

    def leave(self, view: LedgerView) -> None:
        """Forget a view, and what only it needed."""
        self._views.discard(view)
        self.forget()

    def forget(self) -> None:
        """Forget answers that the journal has, and fingerprints that no view needs any more."""
        committed = self._n_committed()
        while self._answered:
            fingerprint, (number, _) = next(iter(self._answered.items()))
            if number > committed:
                break
            del self._answered[fingerprint]
            self._stored[fingerprint] = number
        seen = min((view.looked_at for view in self._views if view.looks_first), default=committed)
        while self._stored:
            fingerprint, number = next(iter(self._stored.items()))
            if number > seen and len(self._stored) <= MAX_STORED:
                break
            del self._stored[fingerprint]
            self.n_forgotten = max(self.n_forgotten, number)


class LedgerView:
    """What one task, or one service, sees of a ledger; its claims end with it.

    Attributes:
        looks_first: whether it looks into the journal before it claims.
        looked_at: what was given up to this number could be read when it last looked.
    """

    def __init__(self, ledger: RequestLedger, *, looks_first: bool) -> None:
        self._ledger = ledger
        self.looks_first = looks_first
        self.looked_at = 0

    def __enter__(self) -> LedgerView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def saw(self, n_committed: int) -> None:
        """Note a look into the journal, of which so much could be read before."""
        self.looked_at = n_committed
        self._ledger.forget()

    def claim(self, fingerprint: str) -> Claim:
        """Take on a request, unless it was answered lately or somebody else has taken it on.

        Who took it on ends it with `resolve` or `release`.
        """
        return self._ledger.claim(fingerprint, self)

    def resolve(self, fingerprint: str, answer: Generation, *, is_new: bool = True) -> None:
        """Give the answer to all who wait for it. Does nothing if it is not ours (any more).

        Args:
            fingerprint: of the request.
            answer: the answer.
            is_new: whether the journal's writer was just given it; else the journal had it.
        """
        self._ledger.end(fingerprint, self, answer, is_new=is_new)

    def release(self, fingerprint: str) -> None:
        """Let others ask: there is no answer. Does nothing if it is not ours (any more)."""
        self._ledger.end(fingerprint, self, None, is_new=False)

    def close(self) -> None:
        """Let others ask what this view did not come to."""
        for fingerprint in self._ledger.claims_of(self):
            self.release(fingerprint)
        self._ledger.leave(self)
