"""judge_pairwise: answers compared with others, in both orders."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmeval_core.hooks import (
    Aggregate,
    Ask,
    ConfigError,
    Generation,
    ImagePart,
    Json,
    MetricAsk,
    Sample,
    Score,
    mean_aggregate,
)
from llmeval_judges.fenced_data import FencedText
from llmeval_judges.judge_prompt import rubric_prompt
from llmeval_judges.judge_settings import PairwiseJudgeSettings
from llmeval_judges.judged_texts import answers_of, images_of, texts_of_sample
from llmeval_judges.juror import Juror
from llmeval_judges.jury_making import definition_of, make_jury
from llmeval_judges.other_answers import find_answers
from llmeval_judges.rater_agreement import krippendorff_alpha
from llmeval_judges.rubric import load_rubric
from llmeval_judges.suspicion import speaks_to_judge
from llmeval_judges.verdict_reader import NoVerdict, Verdict

SIDES = ("first", "tie", "second")
_MIRRORED = {"first": "second", "tie": "tie", "second": "first"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one juror says of two answers that it saw in both orders.

    Args:
        forward: the verdict with the judged answer first.
        backward: the verdict with the judged answer second.
    """

    forward: Verdict
    backward: Verdict

    @property
    def flips(self) -> bool:
        """Whether the same place wins both times, whoever stands there."""
        labels = {self.forward.level.label, self.backward.level.label}
        return len(labels) == 1 and "tie" not in labels

    @property
    def side(self) -> str:
        """Who wins in both orders: `first` for the judged answer, `second`; else `tie`."""
        mine = self.forward.level.label
        return mine if mine == _MIRRORED[self.backward.level.label] else "tie"

    @property
    def value(self) -> float:
        """1 if the judged answer wins both times, 0 if it loses both times, else 0.5: a tie."""
        return {"first": 1.0, "second": 0.0}.get(self.side, 0.5)


class PairwiseJudge:
    """The share of comparisons that answers win; a tie is half a win.

    Each judge sees each pair in both orders. Only who wins in both has won: a verdict that goes
    with the place is a tie, and is counted as a flip. A juror counts with both of its verdicts or
    not at all; without more than half of the jury the sample is unscored. Of several answers to a
    sample the first is compared. Of a conversation that came before it judges see what the user
    said: the other answer ended a conversation of its own.

    Raises:
        ConfigError: the rubric has other verdicts, or there is nothing to compare with.
    """

    def __init__(self, settings: PairwiseJudgeSettings) -> None:
        self._rubric = rubric = load_rubric(settings.rubric)
        self._settings = settings
        self._prompt = prompt = rubric_prompt(rubric, max_reason=settings.max_reason)
        if sorted(prompt.scale.labels) != sorted(SIDES):
            raise ConfigError(
                f"the verdicts of rubric '{rubric.name}' are {', '.join(prompt.scale.labels)}",
                hint="judge_pairwise needs a rubric with first, tie and second, as `preference`",
            )
        self._jury = make_jury(settings, prompt)
        if settings.number == "agreement" and len(self._jury.jurors) < 2:
            raise ConfigError(
                "one judge alone cannot agree",
                hint="name several `judges`, or set `repeats` to 2 or more",
            )
        self._others = find_answers(settings.against, settings.against_task, home=settings.home)
        self.higher_is_better = settings.number != "flips"
        kind = "judge_pairwise"
        self.definition = definition_of(
            kind if settings.number == "score" else f"{kind}-{settings.number}",
            f"{rubric.name}-{rubric.version}",
            self._jury,
            ",".join((*rubric.needs, "|", *rubric.uses, settings.context_key)),
            self._others.digest(),
        )

    @property
    def roles(self) -> Mapping[str, int]:
        """Who judges, and how often a sample: each twice."""
        return {role: 2 * n_requests for role, n_requests in self._jury.roles.items()}

    async def score(self, sample: Sample, generation: Generation, ask: MetricAsk) -> Score:
        """Have the answer to one sample compared.

        Raises:
            ValueError: there is no verdict, or nothing to compare with.
            UnansweredError: the only judge did not answer.
        """
        answer, other = answers_of(generation)[0], self._others.of(sample)
        texts = texts_of_sample(
            sample,
            self._prompt,
            needs=self._rubric.needs,
            uses=self._rubric.uses,
            context_key=self._settings.context_key,
            follow_ups=[one for one in ask.follow_ups if one.role == "user"],
        )
        jurors = self._jury.jurors
        compared = await asyncio.gather(
            *(
                self._compare(juror, texts, (answer, other), ask, images=images_of(sample))
                for juror in jurors
            )
        )
        return self._score(compared, answer, other)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Average over samples; or tell how far the jury agrees."""
        if self._settings.number != "agreement":
            return mean_aggregate(scores)
        units = [score.parts for score in scores]
        alpha = krippendorff_alpha(units, distance="ordinal")
        return Aggregate(value=alpha, n_scored=sum(len(unit) > 1 for unit in units))

    async def _compare(
        self,
        juror: Juror,
        texts: Sequence[FencedText],
        answers: tuple[str, str],
        ask: Ask,
        *,
        images: tuple[ImagePart, ...],
    ) -> Comparison | NoVerdict:
        """Ask one juror in both orders."""
        request = self._jury.request
        get = request.verdict if len(self._jury.jurors) == 1 else request.verdict_if_any
        both = await asyncio.gather(
            *(
                get(juror, [*texts, *self._pair(pair)], ask, judged=answers, images=images)
                for pair in (answers, answers[::-1])
            )
        )
        forward, backward = both
        if isinstance(forward, NoVerdict):
            return forward
        return backward if isinstance(backward, NoVerdict) else Comparison(forward, backward)

    def _pair(self, answers: Sequence[str]) -> list[FencedText]:
        return [
            FencedText(self._prompt.title("answer", place), answer)
            for place, answer in enumerate(answers, 1)
        ]

    def _score(self, compared: Sequence[Comparison | NoVerdict], answer: str, other: str) -> Score:
        given = [one for one in compared if isinstance(one, Comparison)]
        if 2 * len(given) <= len(compared):
            lacking = next(one for one in compared if isinstance(one, NoVerdict))
            raise ValueError(
                str(lacking)
                if len(compared) == 1
                else f"{len(compared) - len(given)} of {len(compared)} jurors give no verdict; "
                f"{lacking}"
            )
        value = sum(one.value for one in given) / len(given)
        flips = sum(one.flips for one in given) / len(given)
        details: dict[str, Json] = {
            "jury": [
                _as_json(juror, one) for juror, one in zip(self._jury.jurors, compared, strict=True)
            ],
            "flips": flips,
            "n_characters": len(answer),
            "n_characters_other": len(other),
        }
        suspicious = speaks_to_judge(answer)
        if suspicious is not None:
            details["speaks_to_judge"] = suspicious
        parts = tuple(one.value for one in given) if self._settings.number == "agreement" else ()
        number = flips if self._settings.number == "flips" else value
        said = "win" if value > 0.5 else "loss" if value < 0.5 else "tie"
        return Score(number, said, parts, details)


def _as_json(juror: Juror, one: Comparison | NoVerdict) -> Json:
    who: dict[str, Json] = {"judge": juror.role}
    if juror.draw:
        who["draw"] = juror.draw
    if isinstance(one, NoVerdict):
        return {**who, "no_verdict": one.lack, "said": one.said[:500]}
    return {
        **who,
        "verdicts": [one.forward.level.label, one.backward.level.label],
        "reasons": [one.forward.reason, one.backward.reason],
    }
