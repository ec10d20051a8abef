"""The end of a sample: scored, kept in the journal, shown, counted as a success or a failure."""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_core.contracts import MODEL
from llmeval_core.engine.failure_policy import FailurePolicy
from llmeval_core.engine.item_run import ItemEnd
from llmeval_core.engine.judged_turn import judged_turn
from llmeval_core.engine.progress import TaskMeter
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.sample_source import PreparedSample
from llmeval_core.journal import StoredTask
from llmeval_core.records import Failure, Generation, SampleResult, Score, Turn
from llmeval_core.scoring import Scorer, failure_of, split_scores


class SampleFinisher:
    """Brings the samples of one task to their end, each once.

    Args:
        context: what the tasks of a run have in common.
        task: the task as the journal keeps it.
        scorer: scores the task's answers.
        failure_policy: says when failures end the task.
        meter: shows how the task goes on.
        last_failure: the newest failure before; None if there was none.

    Attributes:
        last_failure: the newest failure; None if there was none.
        has_changed: whether a sample was finished otherwise than with an old answer that stays.
    """

    def __init__(
        self,
        context: RunContext,
        task: StoredTask,
        scorer: Scorer,
        *,
        failure_policy: FailurePolicy,
        meter: TaskMeter,
        last_failure: Failure | None = None,
    ) -> None:
        self._context = context
        self._task = task
        self._scorer = scorer
        self._failure_policy = failure_policy
        self._meter = meter
        self.last_failure = last_failure
        self.has_changed = False

    @property
    def awaits(self) -> bool:
        """Whether scoring awaits something, so that many at once are faster."""
        return self._scorer.awaits

    def skip(self, n: int) -> None:
        """Show that an earlier run finished so many samples."""
        self._meter.samples_skipped(n)

    async def result_of(
        self, item: PreparedSample, answer: Generation | Failure, *, is_new: bool
    ) -> SampleResult:
        """Score one answer.

        Args:
            item: whose answer.
            answer: it, or why there is none.
            is_new: whether the model gave it just now.
        """
        scores: dict[str, Score] = {}
        failures: dict[str, Failure] = {}
        failure = self._redacted(answer) if isinstance(answer, Failure) else None
        if isinstance(answer, Generation):
            scores, failures = split_scores(await self._scorer.score(item.sample, answer))
            failures = self._all_redacted(failures) if failures else failures
            failure = failure_of(failures)
        return SampleResult(
            item.index,
            item.sample,
            item.request,
            answer if isinstance(answer, Generation) else None,
            scores,
            failure,
            from_journal=isinstance(answer, Generation) and not is_new,
            outcome=self._scorer.outcome(answer, failure),
            metric_failures=failures,
        )

    def put(
        self, result: SampleResult, *, key: bytes | None = None, is_again: bool = False
    ) -> None:
        """Give a finished sample to the journal's writer.

        Args:
            result: how it ended.
            key: fingerprint of the request, if `result` has only the answer.
            is_again: whether its answer takes the place of an older one.
        """
        self._context.journal.put(self._task, result, key, is_again=is_again)

    async def finish_item(self, end: ItemEnd, *, n_under_way: int) -> None:
        """Keep an item of several requests, and count it.

        Raises:
            LlmevalError: it was one failure too many.
        """
        scores, failures = split_scores(end.scores)
        failures = self._all_redacted(failures)
        failure = failure_of(failures)
        if end.failure is not None:
            failure = self._redacted(end.failure)
        judged = judged_turn(end.turns, end.answers[-1] if end.answers else None)
        answer: Generation | Failure | None = None if judged is None else judged.generation
        if end.answers:  # which a solver may have put together of several
            answer = end.answers[-1]
        if end.is_unanswered or answer is None:
            answer = failure or Failure("plugin", "nothing was asked")
        result = SampleResult(
            end.index,
            end.item.sample,
            judged.request if judged is not None else None,
            judged.generation if judged is not None else None,
            scores,
            failure,
            outcome=self._scorer.outcome(answer, failure),
            turns=end.turns if len(end.turns) > 1 or _is_of_others(end.turns) else (),
            metric_failures=failures,
        )
        self._context.journal.put_item(self._task, result)
        await self.note(result, n_under_way=n_under_way)

    async def keep_old(self, failure: Failure) -> None:
        """Count an item that was asked again in vain: what the journal has of it stays.

        Raises:
            LlmevalError: it was one failure too many.
        """
        self._meter.samples_skipped(1)
        self._failure_policy.failure(failure)
        await self._context.journal.keep_up()

    def put_away(self) -> None:
        """Count an item that was answered, and goes on later."""
        self._failure_policy.success()

    async def note(
        self, result: SampleResult, *, n_under_way: int, instead_of: Failure | None = None
    ) -> None:
        """Show a finished sample, and count it; waits if the disk has fallen far behind.

        Args:
            result: how it ended.
            n_under_way: requests of this task that are with the model.
            instead_of: why the model gave no new answer, where an old one stays.

        Raises:
            LlmevalError: it was one failure too many.
        """
        self.has_changed |= instead_of is None
        self._meter.sample_finished(result, n_under_way=n_under_way)
        if result.failure is not None:
            self.last_failure = result.failure
            self._failure_policy.failure(result.failure)
        elif instead_of is not None:
            self._failure_policy.failure(instead_of)
        else:
            self._failure_policy.success()
        await self._context.journal.keep_up()

    def _all_redacted(self, failures: Mapping[str, Failure]) -> dict[str, Failure]:
        return {name: self._redacted(failure) for name, failure in failures.items()}

    def _redacted(self, failure: Failure) -> Failure:
        redactor = self._context.plan.redactor
        place = None if failure.where is None else redactor(failure.where)
        return Failure(failure.kind, redactor(failure.message), failure.hint, place)


def _is_of_others(turns: tuple[Turn, ...]) -> bool:
    return any(turn.role != MODEL for turn in turns)
