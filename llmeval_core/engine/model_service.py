"""A model at the service of all who ask it in a run: tasks, solvers and metrics.

There is one service a model, whatever its roles: the model that is evaluated, a judge, a simulated
user. All that is asked of it goes through one call of `executor.run`, begun by the first question
and ended when nobody can ask any more:

    idle ──question──▶ running ──last user leaves, the run stops, or the model fails──▶ idle

Follow-up questions go before first ones, so that what was begun ends. Who asks holds nothing
meanwhile: neither a worker nor a slot of the rate limiter waits for an item, or a judge that judges
itself would wait for ever. Every end wakes all who wait, and releases what was claimed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from llmeval_core.concurrency import cancel_and_wait
from llmeval_core.contracts import ExecutionRequest, Executor
from llmeval_core.engine.answer_lookups import AnswerLookups
from llmeval_core.engine.executor_boundary import ended_too_early, executor_boundary
from llmeval_core.engine.renewed_answers import RenewedAnswers
from llmeval_core.engine.request_ledger import Ours, RequestLedger
from llmeval_core.engine.run_context import RunContext
from llmeval_core.errors import ModelError
from llmeval_core.generation import FATAL
from llmeval_core.plan import PlannedModel
from llmeval_core.records import Failure, Generation, Request

STOPPED = Failure("stopped", "the run was stopped before it was asked")
_UNKNOWN = Failure("stopped", "the journal has no answer")


class ModelService:
    """Asks one model.

    Args:
        context: what the tasks of a run have in common.
        model: whom it asks.
        ledger: who asks what of this model.
        executor: where requests are answered.
        make_job: describes the work for the executor.

    Attributes:
        n_requests: requests that ended.
        renewed: new answers to what was answered before.
    """

    def __init__(
        self,
        context: RunContext,
        model: PlannedModel,
        ledger: RequestLedger,
        *,
        executor: Executor,
        make_job: Callable[[], ExecutionRequest],
    ) -> None:
        self._context = context
        self.model = model
        self._ledger = ledger.view(looks_first=False)
        self._executor = executor
        self._make_job = make_job
        self._first: deque[Request] = deque()
        self._follow_ups: deque[Request] = deque()
        self._parents: dict[str, Request] = {}
        self._waiting: dict[str, asyncio.Future[Generation | Failure]] = {}
        self._unwanted: set[str] = set()
        self._lookups = AnswerLookups(context.journal)
        self._changed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._n_users = 0
        self.n_requests = 0
        self.n_refused_in_a_row = 0
        self.renewed = RenewedAnswers(context.journal)

    async def enter(self) -> None:
        """Begin to use it; each `enter` is followed by one `leave`.

        Waits while it ends for those who used it before: what they left takes no new question.
        """
        while not self._n_users and self._running is not None and not self._running.done():
            await asyncio.wait((self._running,))
        if not self._n_users:
            self._error = None
        self._n_users += 1

    async def leave(self, *, at_once: bool = False) -> None:
        """Use it no more; the last one waits until what is under way is answered.

        Args:
            at_once: whether what is under way is dropped, because its task has failed.
        """
        self._n_users -= 1
        running = self._running
        if self._n_users or running is None:
            return
        self._changed.set()
        try:
            if not at_once:
                await asyncio.wait((running,))
        finally:
            await cancel_and_wait((running,))

    async def ask(
        self,
        request: Request,
        *,
        parent: Request | None = None,
        is_follow_up: bool = False,
        only_known: bool = False,
        newer_than: float | None = None,
    ) -> Generation | Failure:
        """Return the answer to a request, from the journal if it was answered before.

        Args:
            request: what is asked.
            parent: an answered request with whose messages it begins; None for none.
            is_follow_up: whether it goes before first questions.
            only_known: whether the model may not be asked; a Failure `stopped` then says that the
                journal has no answer.
            newer_than: asks anew what was answered before this, seconds since 1970; None for
                nothing. The old answer stays until `renewed.keep`.

        Raises:
            LlmevalError: the model cannot be used at all, or the executor failed.
        """
        key = request.fingerprint
        answer = await self._claim(key, newer_than)
        if answer is not None:
            return answer
        try:
            known = await self._known(key, newer_than)
            if known is None and not only_known:
                self._raise_error()
        except BaseException:
            self._ledger.release(key)
            raise
        if known is not None:
            self._ledger.resolve(key, known, is_new=False)
            return known
        if only_known or self._is_over:
            self._ledger.release(key)
            return _UNKNOWN if only_known else STOPPED
        if parent is not None:
            self._parents[key] = parent
        return await self._send(request, is_follow_up=is_follow_up)

    async def _claim(self, key: str, newer_than: float | None) -> Generation | Failure | None:
        """Take a request on, and return None; or return what became of it meanwhile."""
        while True:
            renewed = None if newer_than is None else self.renewed.get(key)
            if renewed is not None:
                return renewed
            claim = self._ledger.claim(key)
            if not isinstance(claim, asyncio.Future):
                break
            answer = await asyncio.shield(claim)
            if answer is not None and newer_than is None:  # else it may be the old one
                return answer
            if self._is_over:
                return STOPPED
            self._raise_error()
        assert claim is not Ours.TO_ASK
        return claim if isinstance(claim, Generation) else None

    @property
    def keeps_refusing(self) -> bool:
        """Whether so many requests were refused in a row that it is given up."""
        return self.n_refused_in_a_row >= self._context.plan.give_up_after

    @property
    def _is_over(self) -> bool:
        return not self._n_users or self._context.stop_signal.is_set()

    # --- from the question to the executor

    async def _send(self, request: Request, *, is_follow_up: bool) -> Generation | Failure:
        key = request.fingerprint
        future: asyncio.Future[Generation | Failure] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        (self._follow_ups if is_follow_up else self._first).append(request)
        self._changed.set()
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        try:  # shielded: who asks may be gone, and the answer is still paid for and kept
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if self._waiting.get(key) is future:
                self._unwanted.add(key)  # is dropped, if it is not yet sent
            raise

    async def _run(self) -> None:
        """Let the executor answer until nobody asks any more."""
        waking = asyncio.create_task(self._wake_on_stop())
        try:
            with executor_boundary(self._executor, self.model.name):
                await self._executor.run(self._make_job(), self._requests(), self._finish)
            if self._waiting and not self._is_over:
                self._error = ended_too_early(self.model.name)
        except Exception as err:  # noqa: BLE001  raised where its answers are awaited
            self._error = err
        finally:
            waking.cancel()
            self._running = None
            self._give_up()

    async def _wake_on_stop(self) -> None:
        await self._context.stop_signal.wait()
        self._changed.set()

    async def _requests(self) -> AsyncIterator[Request]:
        while True:
            while self._follow_ups or self._first:
                if self._context.stop_signal.is_set():
                    return
                request = (self._follow_ups or self._first).popleft()
                if request.fingerprint in self._unwanted:
                    self._end(request.fingerprint, STOPPED)
                else:
                    yield request
            if self._is_over:
                return
            self._changed.clear()
            await self._changed.wait()

    async def _finish(self, request: Request, answer: Generation | Failure) -> None:
        """Keep an answer and hand it on; waits for the disk at most, never for an item."""
        key = request.fingerprint
        if isinstance(answer, Generation):
            self._context.spending.add(request, answer, self.model)
            if answer.not_sent:
                self._context.messages.not_sent(self.model.name, answer.not_sent)
            parent = self._parents.get(key)
            if self.renewed.is_expected(key):
                self.renewed.hold(request, answer, parent=parent)
            else:
                self._context.journal.put_answer(request, answer, parent=parent)
        if isinstance(answer, Generation) or answer.kind != "stopped":
            self.n_requests += 1
            self._count_refusal(answer)
        self._end(key, answer)
        await self._context.journal.keep_up()

    def _count_refusal(self, answer: Generation | Failure) -> None:
        if isinstance(answer, Generation) or answer.kind not in FATAL:
            self.n_refused_in_a_row = 0
        else:
            self.n_refused_in_a_row += 1

    def _end(self, key: str, answer: Generation | Failure) -> None:
        """Tell all who wait what became of a request."""
        self._parents.pop(key, None)
        self._unwanted.discard(key)
        future = self._waiting.pop(key, None)
        if isinstance(answer, Generation) and not self.renewed.is_expected(key):
            self._ledger.resolve(key, answer)
        else:
            self._ledger.release(key)
        self.renewed.forget(key)
        if future is not None and not future.done():
            future.set_result(answer)

    def _raise_error(self) -> None:
        """Say that the model cannot be used, if that turned out."""
        error = self._error
        if isinstance(error, ModelError):
            raise ModelError(error.kind, error.what, where=error.where, hint=error.hint)
        if error is not None:
            raise error

    def _give_up(self) -> None:
        """Wake all who wait: nothing more comes."""
        self._first.clear()
        self._follow_ups.clear()
        for key, future in list(self._waiting.items()):
            if self._error is not None and not future.done():
                future.set_exception(self._error)
                future.exception()  # who waited may be gone: nothing is lost
            self._end(key, STOPPED)

    # --- what the journal has

    async def _known(self, key: str, newer_than: float | None) -> Generation | None:
        """Return the journal's answer; None also if it is to be asked for anew."""
        known = self.renewed.kept(key) or await self._lookups.find(key)
        known = self.renewed.kept(key) or known  # it may have been replaced meanwhile
        if known is None or newer_than is None:
            return known
        at = await self._lookups.answered_at(key)
        if at is None or at >= newer_than:
            return known
        self.renewed.expect(key)
        return None
