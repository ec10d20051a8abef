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

    A sample that needs a request is *sent*, together with all samples of the task that need the
    same, or its request is *claimed elsewhere*, by another task of the model (`RequestsInFlight`).
    Those wait until all else is sent. Then the other task has got an answer, which is taken from
    the journal, or it has not, and the sample is sent after all. What is sent is finished with an
    answer or a failure; only a run that is stopped leaves samples behind.

    Args:
        context: what the tasks of a run have in common.
        scorer: scores the task's answers.
        model_tasks: the model whose requests they are, and what its tasks share.
        reader: gives the samples with their requests; closed by its owner.
        failure_policy: says when failures end the task.
        meter: shows how the task goes on.
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
        context: RunContext,
        scorer: Scorer,
        *,
        model_tasks: ModelTasks,
        reader: BatchReader,
        failure_policy: FailurePolicy,
        meter: TaskMeter,
        time_limit: TimeLimit | None,
    ) -> None:
        self._context = context
        self._model = model_tasks.evaluation.model
        self._availability = model_tasks.availability
        self._reader = reader
        self._claims = model_tasks.in_flight
        self._failure_policy = failure_policy
        self._meter = meter
        self._time_limit = time_limit
        self._scorer = scorer
        self._sent: dict[str, list[PreparedSample]] = {}
        self._all_sent = self._was_stopped = False
        self.n_requests = 0
        self.last_failure: Failure | None = None
        self._replaceable: dict[str, Generation] = {}
        self.n_replaced = 0
        self.n_kept = 0
        self.has_changed = False

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
        claimed_elsewhere: list[tuple[PreparedSample, Request]] = []
        stop_signal = self._context.stop_signal
        batch: Batch | None = None
        while not stop_signal.is_set() and not (batch is not None and batch.is_last):
            self._context.process.restore()  # after the metrics of the batch before
            batch = await self._reader.next()
            if batch is None:
                break
            if batch.n_finished:
                self._meter.samples_skipped(batch.n_finished)
            self._replaceable |= batch.replaceable
            known, to_send = _sort_out(batch)
            self._availability.answered_before |= bool(batch.n_finished or batch.answers) or any(
                isinstance(item.answer, Generation) for item in known
            )
            await self._finish_known(known, batch.answers)
            for item, request in to_send:
                if stop_signal.is_set():
                    return
                if await self._is_to_be_sent(item, request, batch, claimed_elsewhere):
                    yield request
        async for request in self._wait_for_others(claimed_elsewhere):
            yield request
        self._all_sent = not stop_signal.is_set()

    async def _is_to_be_sent(
        self,
        item: PreparedSample,
        request: Request,
        batch: Batch,
        claimed_elsewhere: list[tuple[PreparedSample, Request]],
    ) -> bool:
        """Note a request as sent, unless it is already, is answered, or comes too late."""
        key = request.fingerprint
        if key in self._sent:
            self._sent[key].append(item)
        elif self._is_too_late():
            await self._finish_too_late(item)
        elif key in batch.repeated and await self._was_answered(key, batch.answers):
            await self._finish_answered(item, batch.answers[key])
        elif self._claims.claim(key) is not None:
            claimed_elsewhere.append((item, request))
        else:
            self._sent[key] = [item]
            return True
        return False

    async def finish(self, request: Request, answer: Generation | Failure) -> None:
        """Take the answer to a request that was streamed."""
        if isinstance(answer, Failure) and answer.kind == "stopped":
            self._was_stopped = True
            del self._sent[request.fingerprint]
            self._claims.release(request.fingerprint)
            return
        self.n_requests += 1
        if isinstance(answer, Generation):
            self._context.spending.add(request, answer, self._model)
            if answer.not_sent:
                self._context.messages.not_sent(self._model.name, answer.not_sent)
        old = self._replaceable.pop(request.fingerprint, None) if self._replaceable else None
        for place, item in enumerate(self._sent[request.fingerprint]):  # may grow meanwhile
            if old is None:
                await self._finish_one(item, answer, is_new=True)
            elif isinstance(answer, Generation):
                self.n_replaced += 1
                await self._finish_one(item, answer, is_new=True, is_again=place == 0)
            else:
                await self._finish_with_old(item, old, instead_of=answer)
        del self._sent[request.fingerprint]
        self._claims.release(request.fingerprint)

    async def _finish_with_old(
        self, item: PreparedSample, old: Generation, *, instead_of: Failure
    ) -> None:
        """Finish a sample that was asked once more, in vain: the old answer stays."""
        self.n_kept += 1
        await self._finish_one(item, old, instead_of=instead_of)

    async def _finish_answered(self, item: PreparedSample, answer: Generation) -> None:
        """Finish a sample with the answer that another task, or another sample, got meanwhile."""
        old = self._replaceable.pop(_key(item), None) if self._replaceable else None
        if old is not None and old == answer:
            self.n_kept += 1
        elif old is not None:
            self.n_replaced += 1
        await self._finish_one(item, answer)

    def close(self) -> None:
        """Let other tasks send what this one did not come to."""
        for key in self._sent:
            self._claims.release(key)

    async def _wait_for_others(
        self, waiting: list[tuple[PreparedSample, Request]]
    ) -> AsyncIterator[Request]:
        """Finish what another task asked; stream it after all if that came to nothing."""
        for item, request in waiting:
            key = request.fingerprint
            while (owner := self._claims.claim(key)) is not None:
                if key in self._sent:
                    break
                await owner
                if self._context.stop_signal.is_set():
                    return
            answers: dict[str, Generation] = {}
            if key in self._sent:
                self._sent[key].append(item)
            elif await self._was_answered(key, answers):
                self._claims.release(key)
                await self._finish_answered(item, answers[key])
            else:
                self._sent[key] = [item]
                yield request

    async def _was_answered(self, key: str, answers: dict[str, Generation]) -> bool:
        """Look for an answer that came after the batch was read, and add it to these answers."""
        if key not in answers:
            journal = self._context.journal
            await journal.publish()
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

    async def _finish_too_late(self, item: PreparedSample) -> None:
        assert self._time_limit is not None
        failure = Failure("time_limit", f"{self._time_limit.name} was over before it was asked")
        old = self._replaceable.pop(_key(item), None)
        if old is not None:
            await self._finish_with_old(item, old, instead_of=failure)
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
        """Score one answer, journal it, and show it.

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
            redactor = self._context.plan.redactor
            place = None if failure.where is None else redactor(failure.where)
            failure = Failure(failure.kind, redactor(failure.message), failure.hint, place)
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
        self._context.journal.put(self._reader.task, result, item.key, is_again=is_again)
        self._meter.sample_finished(result, n_under_way=len(self._sent))
        if failure is None and instead_of is None:
            self._failure_policy.success()
        elif failure is not None:
            self.last_failure = failure
            self._failure_policy.failure(failure)
        elif instead_of is not None:
            self._failure_policy.failure(instead_of)
        await self._context.journal.keep_up()


def _sort_out(batch: Batch) -> tuple[list[PreparedSample], list[tuple[PreparedSample, Request]]]:
    """Separate what can be finished at once from what must be sent."""
    known: list[PreparedSample] = []
    to_send: list[tuple[PreparedSample, Request]] = []
    for item in batch.samples:
        if item.request is None or item.request.fingerprint in batch.answers:
            known.append(item)
        else:
            to_send.append((item, item.request))
    return known, to_send


def _key(item: PreparedSample) -> str:
    return item.request.fingerprint if item.request is not None else ""
