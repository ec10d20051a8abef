"""A data set with a prompt, a solver and metrics, as the `Task` that it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmeval_core.contracts import Ask, Item, MetricInfo, Question, SolverInput
from llmeval_core.engine.judged_turn import metric_ask
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import PromptError, PromptRenderer
from llmeval_core.records import Failure, Generation, Mode, Sample, Score
from llmeval_core.scoring import Scorer


class UnusableItemError(Exception):
    """An item cannot be answered, for a reason that is known."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class PromptedTask:
    """A task of the run file whose solver or metrics ask models.

    Where a sample is one request, it is the very request that a plain task makes: a judge that is
    added later asks the evaluated model nothing again.

    Args:
        planned: the task.
        renderer: renders its prompts; the pool is loaded.
        scorer: scores its answers.
    """

    planned: PlannedTask
    renderer: PromptRenderer
    scorer: Scorer

    @property
    def name(self) -> str:
        """What its keys begin with."""
        return self.planned.dataset_name

    @property
    def n_shots(self) -> int:
        """How many examples its prompts show."""
        return self.planned.n_shots

    @property
    def modes(self) -> frozenset[Mode]:
        """The way in which it asks."""
        return frozenset({self.planned.mode})

    @property
    def metrics(self) -> Mapping[str, MetricInfo]:
        """Its numbers by name."""
        return {
            item.name: MetricInfo(
                item.definition, item.metric.higher_is_better, item.metric.aggregate
            )
            for item in self.planned.metrics
        }

    @property
    def roles(self) -> Mapping[str, int]:
        """Whom it asks besides."""
        return self.planned.roles

    def fingerprint(self) -> str:
        """Return what decides its questions and scores."""
        return self.planned.definition_fingerprint

    def size(self) -> int | None:
        """Count the samples."""
        return self.planned.n_samples

    def items(self) -> Iterator[Item]:
        """Stream the samples with their questions; a template that fails is the payload."""
        samples: Iterable[Sample] = self.planned.dataset.samples()
        for sample in samples:
            try:
                rendered = self.renderer.render(sample)
            except PromptError as err:
                failure = Failure("prompt", f"{err} (sample '{sample.id}')", hint=err.hint)
                yield Item(sample, payload=failure)
                continue
            yield Item(
                sample,
                (
                    Question(
                        rendered.messages,
                        rendered.prompt,
                        rendered.continuations,
                        mode=self.planned.mode,
                        settings=self.planned.generation,
                    ),
                ),
            )

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        """Answer one sample, by its solver if there is one.

        Raises:
            UnusableItemError: its prompt could not be made.
        """
        if isinstance(item.payload, Failure):
            raise UnusableItemError(item.payload)
        (question,) = item.questions
        solver = self.planned.solver
        if solver is None:
            return [await ask(question)]
        start = SolverInput(item.sample, question, self._read, solver.tools)
        return [await solver.solver.solve(start, ask)]

    async def score(
        self, item: Item, answers: Sequence[Generation], ask: Ask
    ) -> Mapping[str, Score | Failure]:
        """Score one sample."""
        (question,) = item.questions
        asking = metric_ask(ask, question, answers[-1])
        return await self.scorer.score(item.sample, answers[-1], asking)

    def _read(self, generation: Generation) -> str:
        return self.scorer.judged_part(generation).text
