"""judge_check: a judge is the model that is evaluated, people's verdicts are what it is held to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from llmeval_core.hooks import (
    MODEL,
    Aggregate,
    Ask,
    ConfigError,
    Generation,
    Item,
    Json,
    MetricInfo,
    Mode,
    Question,
    Score,
    fingerprint,
    mean_aggregate,
)
from llmeval_judges.fenced_data import FencedText
from llmeval_judges.human_labels import LabelledAnswer, read_labels
from llmeval_judges.judge_prompt import rubric_prompt
from llmeval_judges.judge_settings import JudgeCheckSettings
from llmeval_judges.judged_texts import images_of, texts_of_sample
from llmeval_judges.juror import Juror, VerdictRequest
from llmeval_judges.pairwise_judge import SIDES, Comparison
from llmeval_judges.rater_agreement import Weights, cohen_kappa
from llmeval_judges.rubric import load_rubric
from llmeval_judges.verdict_reader import NoVerdict, Verdict

CHECK_REVISION = 1
_THE_JUDGE = Juror(MODEL)


class JudgeCheck:
    """How far a judge agrees with people.

    Each answer is judged by the model exactly as the metric `judge` would ask it; pairs, which have
    an `other` answer, in both orders, as `judge_pairwise` does. What has no verdict is unscored;
    what has no label is judged, and has no part in agreement and kappa.

    Attributes:
        request: how verdicts are asked for.
        labelled: what is judged.
        are_pairs: whether these are pairs.

    Raises:
        ConfigError: the rubric or the labels cannot be read, or do not fit each other.
    """

    n_shots = 0
    modes: frozenset[Mode] = frozenset({"chat"})
    roles: Mapping[str, int] = {}

    def __init__(self, settings: JudgeCheckSettings) -> None:
        self._rubric = rubric = load_rubric(settings.rubric)
        self._settings = settings
        prompt = rubric_prompt(rubric, max_reason=settings.max_reason)
        self.scale = prompt.scale
        self.request = VerdictRequest(prompt, settings.verdict_by, settings.ask_again)
        self.labelled = read_labels(settings.labels, self.scale)
        self.are_pairs = sorted(self.scale.labels) == sorted(SIDES)
        self.name = f"judge_check_{rubric.name}"
        for one in self.labelled:
            self._check(one)

    @property
    def weights(self) -> Weights:
        """How kappa weighs disagreements."""
        return "quadratic" if self.scale.is_ordered else "nominal"

    @property
    def metrics(self) -> Mapping[str, MetricInfo]:
        """Agreement and kappa; of pairs, how often the verdict flips with the order."""
        weights = self.weights

        def kappa(scores: Iterable[Score]) -> Aggregate:
            pairs = [score.parts for score in scores if score.parts]
            mine, theirs = [int(label) for label, _ in pairs], [int(said) for _, said in pairs]
            value = cohen_kappa(mine, theirs, weights=weights)
            return Aggregate(value=value, n_scored=len(pairs))

        found = {
            "agreement": MetricInfo(
                "judge_agreement@1", higher_is_better=True, aggregate=mean_aggregate
            ),
            "kappa": MetricInfo(f"cohen_kappa@{weights}", higher_is_better=True, aggregate=kappa),
        }
        if self.are_pairs:
            found["flips"] = MetricInfo(
                "judge_flips@1", higher_is_better=False, aggregate=mean_aggregate
            )
        return found

    def fingerprint(self) -> str:
        """Return a digest of the labels, the rubric, and how verdicts are asked for."""
        rows: list[Json] = []
        for one in self.labelled:
            label = one.label.label if one.label else None
            texts: Json = [[text.title, text.text] for text in self._texts(one)[0]]
            rows.append([one.sample.id, one.sample.category, label, texts])
        return fingerprint([CHECK_REVISION, self.request.as_json(), rows])

    def size(self) -> int:
        """Count what is judged."""
        return len(self.labelled)

    def items(self) -> Iterator[Item]:
        """Give each answer, with the first question about it."""
        by = "schema" if self.request.by == "auto" else self.request.by
        for one in self.labelled:
            messages = self.request.prompt.messages(self._texts(one)[0], images_of(one.sample))
            question: Question = self.request.prompt.question(messages, by=by)
            yield Item(one.sample, (question,), one)

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        """Have one answer judged; of a pair, both orders one after the other."""
        one = _labelled(item)
        return [
            await self.request.said(
                _THE_JUDGE, texts, ask, judged=_judged(one), images=images_of(one.sample)
            )
            for texts in self._texts(one)
        ]

    def score(self, item: Item, answers: Sequence[Generation], ask: Ask) -> Mapping[str, Score]:
        """Compare the verdict with the label.

        Raises:
            ValueError: there is no verdict.
        """
        one = _labelled(item)
        verdicts: list[Verdict] = []
        for said in answers:
            verdict = self.request.read(said, _judged(one))
            if isinstance(verdict, NoVerdict):
                raise ValueError(str(verdict))
            verdicts.append(verdict)
        flips = None
        level = verdicts[0].level
        if self.are_pairs:
            compared = Comparison(*verdicts)
            flips = float(compared.flips)
            level = next(lvl for lvl in self.scale.levels if lvl.label == compared.side)
        details: dict[str, Json] = {
            "verdict": level.label,
            "label": one.label.label if one.label else None,
            "reason": verdicts[0].reason,
            "given": [verdict.level.label for verdict in verdicts],
        }
        parts: tuple[float, ...] = ()
        agrees = None
        if one.label is not None:
            places = self.scale.labels.index(one.label.label), self.scale.labels.index(level.label)
            parts = (float(places[0]), float(places[1]))
            agrees = float(places[0] == places[1])
        scores = {
            "agreement": Score(agrees, level.label, details=details),
            "kappa": Score(None, parts=parts),
        }
        return scores if flips is None else {**scores, "flips": Score(flips)}

    def _check(self, one: LabelledAnswer) -> None:
        """Refuse what the rubric cannot judge, before anybody is asked."""
        where = f"{self._settings.labels}, id '{one.sample.id}'"
        if self.are_pairs != (one.other is not None):
            what = "has no 'other' answer" if self.are_pairs else "has an 'other' answer"
            raise ConfigError(
                f"the line {what}",
                where=where,
                hint=f"rubric '{self._rubric.name}' compares"
                + (" pairs" if self.are_pairs else " no pairs; `preference` does"),
            )
        try:
            self._texts(one)
        except ValueError as err:
            raise ConfigError(str(err), where=where) from err

    def _texts(self, one: LabelledAnswer) -> list[list[FencedText]]:
        """List what the judge is shown: once, or of a pair in both orders."""
        prompt, rubric = self.request.prompt, self._rubric
        shown = texts_of_sample(
            one.sample,
            prompt,
            needs=rubric.needs,
            uses=rubric.uses,
            context_key=self._settings.context_key,
        )
        if one.other is None:
            return [[*shown, FencedText(prompt.title("answer"), one.answer)]]
        return [
            [
                *shown,
                *(FencedText(prompt.title("answer", n), text) for n, text in enumerate(pair, 1)),
            ]
            for pair in ((one.answer, one.other), (one.other, one.answer))
        ]


def _labelled(item: Item) -> LabelledAnswer:
    assert isinstance(item.payload, LabelledAnswer)
    return item.payload


def _judged(one: LabelledAnswer) -> tuple[str, ...]:
    return (one.answer,) if one.other is None else (one.answer, one.other)
