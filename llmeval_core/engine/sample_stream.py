"""A task's samples on their way: requests out, answers in, each sample finished once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from llmeval_core.contracts import TimeLimit
from llmeval_core.engine.batches import Batch, BatchReader
from llmeval_core.engine.endpoint_queues import ModelTasks
from llmeval_core.engine.failure_policy import FailurePolicy
from llmeval_core.engine.progress import TaskMeter
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.sample_source import PreparedSample
from llmeval_core.journal import JournalQueries
from llmeval_core.records import Failure, Generation, Request, SampleResult, Score
from llmeval_core.scoring import Scorer


class SampleStream:
    """Streams the requests of one task and finishes its samples.

    Args:
        shared: see `RunContext`.
        scorer: scores the task's answers.
        work: the model whose requests they are, and what its tasks share.
        reader: gives the samples with their requests; closed by its owner.
        meter: who is told.
        time_limit: when all that is not finished has failed; None for never.

    Attributes:
        n_requests: requests that ended.
        last_failure: the newest failure; None if there was none.
        n_replaced: answers that were asked for once more and came; `n_kept` did not come, and the
            old ones stay.
        has_changed: whether a sample was finished otherwise than with an old answer that stays.
    """

    def __init__(
        self,
        shared: RunContext,
        scorer: Scorer,
        *,
        work: ModelTasks,
        reader: BatchReader,
        give_up: FailurePolicy,
        meter: TaskMeter,
        time_limit: TimeLimit | None,
    ) -> None:
        self._shared = shared
        self._model = work.evaluation.model
        self._availability = work.availability
        self._reader = reader
        self._in_flight = work.in_flight
        self._give_up = give_up
        self._meter = meter
        self._time_limit = time_limit
        self._scorer = scorer
        self._under_way: dict[str, list[PreparedSample]] = {}
        self._all_sent = self._was_cut_off = False
        self.n_requests = 0
        self.last_failure: Failure | None = None
        self._old: dict[str, Generation] = {}
        self.n_replaced = 0
        self.n_kept = 0
        self.has_changed = False

    @property
    def is_finished(self) -> bool:
        """Whether every sample ended."""
        return self._all_sent and not self._under_way and not self._was_cut_off

    @property
    def n_samples(self) -> int:
        """Samples that were read."""
        return self._reader.n_samples

    async def requests(self) -> AsyncIterator[Request]:
        """Stream what must be asked; what the journal has is scored on the way."""
        elsewhere: list[tuple[PreparedSample, Request]] = []
        while not self._shared.halt.is_set():
            self._shared.process.restore()  # after the metrics of the chunk before
            chunk = await asyncio.to_thread(self._reader.read)
            if chunk is None:
                break
            if chunk.n_done:
                self._meter.samples_skipped(chunk.n_done)
            self._old |= chunk.old
            known, to_ask = _sort_out(chunk)
            self._availability.answered_before |= bool(chunk.n_done or chunk.answers) or any(
                isinstance(item.answer, Generation) for item in known
            )
            await self._finish_known(known, chunk.answers)
            for item, request in to_ask:
                if self._shared.halt.is_set():
                    return
                if await self._is_ours_to_ask(item, request, chunk, elsewhere):
                    yield request
        async for request in self._asked_elsewhere(elsewhere):
            yield request
        self._all_sent = not self._shared.halt.is_set()

    async def _is_ours_to_ask(
        self,
        item: PreparedSample,
        request: Request,
        chunk: Batch,
        elsewhere: list[tuple[PreparedSample, Request]],
    ) -> bool:
        """Note a request as under way, unless it is already, is answered, or comes too late."""
        key = request.fingerprint
        if key in self._under_way:
            self._under_way[key].append(item)
        elif self._is_too_late():
            await self._too_late(item)
        elif key in chunk.again and await self._find_again(key, chunk.answers):
            await self._finish_found(item, chunk.answers[key])
        elif self._in_flight.claim(key) is not None:
            elsewhere.append((item, request))
        else:
            self._under_way[key] = [item]
            return True
        return False

    async def finish(self, request: Request, answer: Generation | Failure) -> None:
        """Take the answer to a request that was streamed."""
        if isinstance(answer, Failure) and answer.kind == "stopped":
            self._was_cut_off = True
            del self._under_way[request.fingerprint]
            self._in_flight.release(request.fingerprint)
            return
        self.n_requests += 1
        if isinstance(answer, Generation):
            self._shared.spending.add(request, answer, self._model)
            if answer.not_sent:
                self._shared.notices.not_sent(self._model.name, answer.not_sent)
        old = self._old.pop(request.fingerprint, None) if self._old else None
        for place, item in enumerate(self._under_way[request.fingerprint]):  # may grow meanwhile
            if old is None:
                await self._finish_one(item, answer, is_new=True)
            elif isinstance(answer, Generation):
                self.n_replaced += 1
                await self._finish_one(item, answer, is_new=True, is_again=place == 0)
            else:
                await self._finish_old(item, old, instead_of=answer)
        del self._under_way[request.fingerprint]
        self._in_flight.release(request.fingerprint)

    async def _finish_old(
        self, item: PreparedSample, old: Generation, *, instead_of: Failure
    ) -> None:
        """Finish a sample that was asked once more, in vain: the old answer stays."""
        self.n_kept += 1
        await self._finish_one(item, old, instead_of=instead_of)

    async def _finish_found(self, item: PreparedSample, answer: Generation) -> None:
        """Finish a sample with the answer that another task, or another sample, got meanwhile."""
        old = self._old.pop(_key(item), None) if self._old else None
        if old is not None and old == answer:
            self.n_kept += 1
        elif old is not None:
            self.n_replaced += 1
        await self._finish_one(item, answer)

    def close(self) -> None:
        """Let other tasks ask what this one did not come to."""
        for key in self._under_way:
            self._in_flight.release(key)

    async def _asked_elsewhere(
        self, waiting: list[tuple[PreparedSample, Request]]
    ) -> AsyncIterator[Request]:
        """Finish what another task asked; ask it after all if that came to nothing."""
        for item, request in waiting:
            key = request.fingerprint
            while (owner := self._in_flight.claim(key)) is not None:
                if key in self._under_way:
                    break
                await owner
                if self._shared.halt.is_set():
                    return
            answers: dict[str, Generation] = {}
            if key in self._under_way:
                self._under_way[key].append(item)
            elif await self._find_again(key, answers):
                self._in_flight.release(key)
                await self._finish_found(item, answers[key])
            else:
                self._under_way[key] = [item]
                yield request

    async def _find_again(self, key: str, answers: dict[str, Generation]) -> bool:
        """Look for an answer that came after the chunk was looked up; True if there is one."""
        if key not in answers:
            journal = self._shared.journal
            await journal.flush()
            answers |= await asyncio.to_thread(journal.read, JournalQueries.generations, [key])
        return key in answers

    async def _finish_known(
        self, known: list[PreparedSample], answers: dict[str, Generation]
    ) -> None:
        answered = [(item, item.answer or answers[_key(item)]) for item in known]
        if self._scorer.awaits:
            finishing = [self._finish_one(item, answer) for item, answer in answered]
            await asyncio.gather(*finishing)
        else:
            for item, answer in answered:
                await self._finish_one(item, answer)

    def _is_too_late(self) -> bool:
        limit = self._time_limit
        return limit is not None and asyncio.get_running_loop().time() >= limit.at

    async def _too_late(self, item: PreparedSample) -> None:
        assert self._time_limit is not None
        failure = Failure("time_limit", f"{self._time_limit.name} was over before it was asked")
        old = self._old.pop(_key(item), None)
        if old is not None:
            await self._finish_old(item, old, instead_of=failure)
        else:
            await self._finish_one(item, failure)

    async def _finish_one(
        self,
        item: PreparedSample,
        answer: Generation | Failure,
        *,
        is_new: bool = False,
        is_again: bool = False,
        instead_of: Failure | None = None,
    ) -> None:
        """Score one answer, journal it, and tell.

        Args:
            item: whose answer.
            answer: it, or why there is none.
            is_new: whether the model gave it just now.
            is_again: whether it takes the place of an older one.
            instead_of: why the model gave no new one.
        """
        self.has_changed |= instead_of is None
        scores: dict[str, Score] = {}
        failure = answer if isinstance(answer, Failure) else None
        if isinstance(answer, Generation):
            scored = await self._scorer.score(item.sample, answer)
            if isinstance(scored, Failure):
                failure = scored
            else:
                scores = scored
        if failure is not None:
            told = self._shared.plan.redactor(failure.message)
            failure = Failure(failure.kind, told, failure.hint)
        result = SampleResult(
            item.index,
            item.sample,
            item.request,
            answer if isinstance(answer, Generation) else None,
            scores,
            failure,
            from_journal=isinstance(answer, Generation) and not is_new,
            outcome=self._scorer.outcome(answer, failure),
        )
        self._shared.journal.put(self._reader.task, result, item.key, is_again=is_again)
        self._meter.sample_finished(result, n_under_way=len(self._under_way))
        if failure is None and instead_of is None:
            self._give_up.success()
        elif failure is not None:
            self.last_failure = failure
            self._give_up.failure(failure)
        elif instead_of is not None:
            self._give_up.failure(instead_of)
        await self._shared.journal.keep_up()


def _sort_out(chunk: Batch) -> tuple[list[PreparedSample], list[tuple[PreparedSample, Request]]]:
    """Separate what can be finished at once from what must be asked."""
    known: list[PreparedSample] = []
    to_ask: list[tuple[PreparedSample, Request]] = []
    for item in chunk.ready:
        if item.request is None or item.request.fingerprint in chunk.answers:
            known.append(item)
        else:
            to_ask.append((item, item.request))
    return known, to_ask


def _key(item: PreparedSample) -> str:
    return item.request.fingerprint if item.request is not None else ""
