"""A task's requests on their way: out to the executor, and their answers to the samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from llmeval_core.contracts import TimeLimit
from llmeval_core.engine.batches import Batch, BatchReader
from llmeval_core.engine.request_ledger import LedgerView, Ours
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.run_models import RunModel
from llmeval_core.engine.sample_finisher import SampleFinisher
from llmeval_core.engine.sample_source import PreparedSample
from llmeval_core.journal import JournalQueries
from llmeval_core.records import Failure, Generation, Request


class SampleStream:
    """Streams the requests of one task and finishes its samples.

    A sample whose request the journal has no answer to claims it (`RequestLedger`), and is

    * *finished*, if the answer came since the journal was read;
    * *sent*, if the request is ours now, together with all samples of the task that need the same;
    * *waiting*, if another task of the model asks it. Those wait until all else is sent; then there
      is an answer, or the sample is sent after all.

    What is sent is finished with an answer or a failure; only a run that is stopped leaves samples
    behind.

    Args:
        context: what the tasks of a run have in common.
        model: the model whose requests they are.
        ledger: what the task sees of the model's requests.
        reader: gives the samples with their requests; closed by its owner.
        finisher: scores and keeps samples.
        time_limit: when all that is not finished has failed; None for never.

    Attributes:
        n_requests: requests that ended.
        n_replaced: answers that were asked for once more and came; `n_kept` did not come, and the
            old ones stay.
    """

    def __init__(
        self,
        context: RunContext,
        *,
        model: RunModel,
        ledger: LedgerView,
        reader: BatchReader,
        finisher: SampleFinisher,
        time_limit: TimeLimit | None,
    ) -> None:
        self._context = context
        self._model = model.planned
        self._availability = model.availability
        self._reader = reader
        self._ledger = ledger
        self._finisher = finisher
        self._time_limit = time_limit
        self._sent: dict[str, list[PreparedSample]] = {}
        self._all_sent = self._was_stopped = False
        self.n_requests = 0
        self._replaceable: dict[str, Generation] = {}
        self.n_replaced = 0
        self.n_kept = 0

    @property
    def is_finished(self) -> bool:
        """Whether every sample ended."""
        return self._all_sent and not self._sent and not self._was_stopped

    @property
    def n_samples(self) -> int:
        """Samples that were read."""
        return self._reader.n_samples

    async def requests(self) -> AsyncIterator[Request]:
        """Stream what must be sent; what the journal has is scored on the way."""
        waiting: list[tuple[PreparedSample, Request]] = []
        stop_signal = self._context.stop_signal
        batch: Batch | None = None
        while not stop_signal.is_set() and not (batch is not None and batch.is_last):
            self._context.process.restore()  # after the metrics of the batch before
            batch = await self._reader.next()
            if batch is None:
                break
            self._ledger.saw(batch.n_committed)
            await self._finish_known(batch)
            for item, request in _unanswered(batch):
                if stop_signal.is_set():
                    return
                key = request.fingerprint
                if key in self._sent:
                    self._sent[key].append(item)
                elif self._is_too_late():
                    await self._finish_too_late(item)
                else:
                    claim = self._ledger.claim(key)
                    if isinstance(claim, asyncio.Future):
                        waiting.append((item, request))
                    elif await self._is_to_be_sent(item, key, claim):
                        yield request
        async for request in self._wait_for_others(waiting):
            yield request
        self._all_sent = not stop_signal.is_set()

    async def _is_to_be_sent(
        self, item: PreparedSample, key: str, claim: Generation | Ours
    ) -> bool:
        """Finish a sample whose request turns out to be answered; else note it as sent."""
        answer = claim if isinstance(claim, Generation) else None
        if claim is Ours.TO_LOOK_UP:
            answer = await self._look_up(key)
            if answer is not None and answer == self._replaceable.get(key):
                answer = None  # it is the one that is asked for once more
            elif answer is not None:
                self._ledger.resolve(key, answer, is_new=False)
        if answer is not None:
            await self._finish_answered(item, key, answer)
            return False
        self._sent[key] = [item]
        return True

    async def _look_up(self, key: str) -> Generation | None:
        """Look for an answer that came after the batch was read."""
        journal = self._context.journal
        found = await asyncio.to_thread(journal.read, JournalQueries.generations, [key])
        return found.get(key)

    async def _wait_for_others(
        self, waiting: list[tuple[PreparedSample, Request]]
    ) -> AsyncIterator[Request]:
        """Finish what another task asked; stream it after all if that came to nothing."""
        for item, request in waiting:
            key = request.fingerprint
            claim = self._ledger.claim(key)
            while isinstance(claim, asyncio.Future) and key not in self._sent:
                await claim
                if self._context.stop_signal.is_set():
                    return
                claim = self._ledger.claim(key)
            if isinstance(claim, asyncio.Future):
                self._sent[key].append(item)
            elif await self._is_to_be_sent(item, key, claim):
                yield request

    async def finish(self, request: Request, answer: Generation | Failure) -> None:
        """Take the answer to a request that was streamed."""
        key = request.fingerprint
        if isinstance(answer, Failure) and answer.kind == "stopped":
            self._was_stopped = True
            del self._sent[key]
            self._ledger.release(key)
            return
        self.n_requests += 1
        if isinstance(answer, Generation):
            self._context.spending.add(request, answer, self._model)
            if answer.not_sent:
                self._context.messages.not_sent(self._model.name, answer.not_sent)
        old = self._replaceable.pop(key, None) if self._replaceable else None
        for place, item in enumerate(self._sent[key]):  # may grow meanwhile
            if old is None:
                await self._finish_one(item, answer, is_new=True)
            elif isinstance(answer, Generation):
                self.n_replaced += 1
                await self._finish_one(item, answer, is_new=True, is_again=place == 0)
            else:
                await self._finish_with_old(item, old, instead_of=answer)
        del self._sent[key]
        self._ledger.release(key)  # unless there is an answer, which was told at once

    def close(self) -> None:
        """Let other tasks send what this one did not come to."""
        for key in self._sent:
            self._ledger.release(key)

    # --- samples that end

    async def _finish_known(self, batch: Batch) -> None:
        """Finish what needs no request: answered in an earlier run, or without a prompt."""
        if batch.n_finished:
            self._finisher.skip(batch.n_finished)
        self._replaceable |= batch.replaceable
        known: list[tuple[PreparedSample, Generation | Failure]] = []
        for item in batch.samples:
            answer = item.answer or batch.answers.get(_key(item))
            if answer is not None:
                known.append((item, answer))
        self._availability.answered_before |= bool(batch.n_finished or batch.answers) or any(
            isinstance(answer, Generation) for _, answer in known
        )
        if self._finisher.awaits:
            await asyncio.gather(*[self._finish_one(item, answer) for item, answer in known])
        else:
            for item, answer in known:
                await self._finish_one(item, answer)

    def _is_too_late(self) -> bool:
        limit = self._time_limit
        return limit is not None and asyncio.get_running_loop().time() >= limit.at

    async def _finish_too_late(self, item: PreparedSample) -> None:
        assert self._time_limit is not None
        failure = Failure("time_limit", f"{self._time_limit.name} was over before it was asked")
        old = self._replaceable.pop(_key(item), None)
        if old is not None:
            await self._finish_with_old(item, old, instead_of=failure)
        else:
            await self._finish_one(item, failure)

    async def _finish_with_old(
        self, item: PreparedSample, old: Generation, *, instead_of: Failure
    ) -> None:
        """Finish a sample that was asked once more, in vain: the old answer stays."""
        self.n_kept += 1
        await self._finish_one(item, old, instead_of=instead_of)

    async def _finish_answered(self, item: PreparedSample, key: str, answer: Generation) -> None:
        """Finish a sample with the answer that another task, or another sample, got meanwhile."""
        if self._replaceable and self._replaceable.pop(key, None) is not None:
            self.n_replaced += 1
        await self._finish_one(item, answer)

    async def _finish_one(
        self,
        item: PreparedSample,
        answer: Generation | Failure,
        *,
        is_new: bool = False,
        is_again: bool = False,
        instead_of: Failure | None = None,
    ) -> None:
        """Score one answer, keep it, and tell those who wait for it.

        Args:
            item: whose answer.
            answer: it, or why there is none.
            is_new: whether the model gave it just now.
            is_again: whether it takes the place of an older one.
            instead_of: why the model gave no new one.
        """
        result = await self._finisher.result_of(item, answer, is_new=is_new)
        self._finisher.put(result, key=item.key, is_again=is_again)
        if is_new and isinstance(answer, Generation):
            self._ledger.resolve(_key(item), answer)
        await self._finisher.note(result, n_under_way=len(self._sent), instead_of=instead_of)


def _unanswered(batch: Batch) -> list[tuple[PreparedSample, Request]]:
    """List what the journal had no answer to, with its request."""
    return [
        (item, item.request)
        for item in batch.samples
        if item.request is not None and item.request.fingerprint not in batch.answers
    ]


def _key(item: PreparedSample) -> str:
    return item.request.fingerprint if item.request is not None else ""
