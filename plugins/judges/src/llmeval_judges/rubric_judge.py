"""judge: answers judged one by one, by a rubric."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from llmeval_core.hooks import (
    Aggregate,
    ConfigError,
    Generation,
    Json,
    MetricAsk,
    Sample,
    Score,
    mean_aggregate,
)
from llmeval_judges.agreement_aggregate import agreement_aggregate, unit_parts
from llmeval_judges.corrected_aggregate import corrected_aggregate
from llmeval_judges.fenced_data import FencedText
from llmeval_judges.human_labels import answer_key, values_by_answer
from llmeval_judges.judge_prompt import rubric_prompt
from llmeval_judges.judge_settings import RubricJudgeSettings
from llmeval_judges.judged_texts import answers_of, earlier_answers, images_of, texts_of_sample
from llmeval_judges.jury import Ruling, as_json
from llmeval_judges.jury_making import definition_of, make_jury
from llmeval_judges.rubric import load_rubric
from llmeval_judges.suspicion import speaks_to_judge


class RubricJudge:
    """What a verdict is worth, averaged over samples; of several answers to one, their mean.

    A judge's verdict is one that the rubric has, or the sample is unscored: a verdict that cannot
    be read, was cut off or refused is never a number. A jury's verdict needs more than half of it.

    Attributes:
        roles: who judges, and how often a sample.

    Raises:
        ConfigError: the rubric or the labels cannot be read, or settings contradict each other.
    """

    def __init__(self, settings: RubricJudgeSettings) -> None:
        self._rubric = rubric = load_rubric(settings.rubric)
        self._settings = settings
        self._prompt = rubric_prompt(rubric, max_reason=settings.max_reason)
        self._jury = make_jury(settings, self._prompt)
        self._labels: Mapping[str, float] = {}
        self.higher_is_better = rubric.higher_is_better
        if (settings.number == "corrected") != (settings.labels is not None):
            raise ConfigError("`number: corrected` and `labels` belong together")
        if settings.labels is not None:
            self._labels = values_by_answer(settings.labels, self._prompt.scale)
        if settings.number == "agreement":
            if len(self._jury.jurors) < 2:
                raise ConfigError(
                    "one judge alone cannot agree",
                    hint="name several `judges`, or set `repeats` to 2 or more",
                )
            self.higher_is_better = True
        self.definition = self._definition()

    @property
    def roles(self) -> Mapping[str, int]:
        """Who judges, and how often a sample."""
        return self._jury.roles

    async def score(self, sample: Sample, generation: Generation, ask: MetricAsk) -> Score:
        """Have the answers to one sample judged.

        Raises:
            ValueError: there is no verdict, or the sample lacks what the rubric needs.
            UnansweredError: the only judge did not answer.
        """
        texts = texts_of_sample(
            sample,
            self._prompt,
            needs=self._rubric.needs,
            uses=self._rubric.uses,
            context_key=self._settings.context_key,
            script_key=self._settings.script_key,
            follow_ups=ask.follow_ups,
        )
        answers = answers_of(generation)
        earlier = earlier_answers(ask.follow_ups)
        rulings = []
        for answer in answers:
            shown = [*texts, FencedText(self._prompt.title("answer"), answer)]
            rulings.append(
                await self._jury.rule(
                    shown, ask, judged=(answer, *earlier), images=images_of(sample)
                )
            )
        return Score(
            sum(ruling.value for ruling in rulings) / len(rulings),
            rulings[0].label,
            self._parts(sample, answers, rulings),
            self._details(answers, rulings, earlier),
        )

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Average the verdicts; or correct their mean, or tell how far the jury agrees."""
        if self._settings.number == "corrected":
            return corrected_aggregate(scores)
        if self._settings.number == "agreement":
            return agreement_aggregate(scores, self._prompt.scale)
        return mean_aggregate(scores)

    def _parts(
        self, sample: Sample, answers: tuple[str, ...], rulings: list[Ruling]
    ) -> tuple[float, ...]:
        if self._settings.number == "agreement":
            return unit_parts(rulings, self._prompt.scale)
        if self._settings.number == "corrected":
            values = (ruling.value for ruling in rulings)
            return tuple(self._labelled_parts(sample, answers, values))
        return ()

    def _labelled_parts(
        self, sample: Sample, answers: tuple[str, ...], values: Iterator[float]
    ) -> Iterator[float]:
        """Give for each answer the verdict, whether it has a label, and the label or 0."""
        for answer, value in zip(answers, values, strict=True):
            label = self._labels.get(answer_key(sample.input_text, answer))
            yield from (value, 0.0 if label is None else 1.0, label or 0.0)

    def _details(
        self, answers: tuple[str, ...], rulings: list[Ruling], earlier: tuple[str, ...]
    ) -> Json:
        jurors = self._jury.jurors
        said: list[Json] = [as_json(jurors, ruling) for ruling in rulings]
        details: dict[str, Json] = {
            "jury": said[0] if len(said) == 1 else said,
            "n_characters": len(answers[0]),
        }
        suspicious = next(filter(None, map(speaks_to_judge, (*answers, *earlier))), None)
        if suspicious is not None:
            details["speaks_to_judge"] = suspicious
        return details

    def _definition(self) -> str:
        name = f"{self._rubric.name}-{self._rubric.version}"
        kind = "judge" if self._settings.number == "score" else f"judge-{self._settings.number}"
        keys = (self._settings.context_key, self._settings.script_key or "")
        needs = ",".join((*self._rubric.needs, "|", *self._rubric.uses, *keys))
        digest = [f"{key}={value!r}" for key, value in sorted(self._labels.items())]
        return definition_of(kind, name, self._jury, needs, *digest)
