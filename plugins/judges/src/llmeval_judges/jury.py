"""Several judges of one thing: each asked by itself, their verdicts made one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llmeval_core.hooks import Ask, ImagePart, Json
from llmeval_judges.fenced_data import FencedText
from llmeval_judges.juror import Juror, VerdictRequest
from llmeval_judges.verdict_reader import NoVerdict, Verdict

Combine = Literal["mean", "majority"]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a jury says of one thing.

    Args:
        value: the verdicts made one.
        label: the verdict, if all who gave one agree on it or most do; None if there is none.
        verdicts: juror by juror; those without a verdict say why.
    """

    value: float
    label: str | None
    verdicts: tuple[Verdict | NoVerdict, ...]

    @property
    def given(self) -> tuple[Verdict, ...]:
        """The verdicts that there are."""
        return tuple(one for one in self.verdicts if isinstance(one, Verdict))


@dataclass(frozen=True, slots=True)
class Jury:
    """Who judges, and how their verdicts are made one.

    Args:
        request: how verdicts are asked for.
        jurors: at least one.
        combine: the mean of what verdicts are worth; or the verdict that most give, the mean of
            those that are given as often on a tie.
    """

    request: VerdictRequest
    jurors: tuple[Juror, ...]
    combine: Combine

    @property
    def roles(self) -> dict[str, int]:
        """Whom it asks, and how often a thing to judge."""
        return dict(Counter(juror.role for juror in self.jurors))

    async def rule(
        self,
        texts: Sequence[FencedText],
        ask: Ask,
        *,
        judged: tuple[str, ...] = (),
        images: Sequence[ImagePart] = (),
    ) -> Ruling:
        """Ask all jurors at once.

        Raises:
            ValueError: half of them or more give no verdict.
            UnansweredError: the only juror did not answer.
        """
        is_alone = len(self.jurors) == 1
        get = self.request.verdict if is_alone else self.request.verdict_if_any
        verdicts = await asyncio.gather(
            *(get(juror, texts, ask, judged=judged, images=images) for juror in self.jurors)
        )
        return self.make_one(verdicts)

    def make_one(self, verdicts: Sequence[Verdict | NoVerdict]) -> Ruling:
        """Make one verdict of many.

        Raises:
            ValueError: half of them or more are missing.
        """
        given = [one for one in verdicts if isinstance(one, Verdict)]
        missing = [one for one in verdicts if isinstance(one, NoVerdict)]
        if 2 * len(given) <= len(verdicts):
            if len(verdicts) == 1:
                raise ValueError(str(missing[0]))
            raise ValueError(
                f"{len(missing)} of {len(verdicts)} jurors give no verdict; {missing[0]}"
            )
        counts = Counter(one.level.label for one in given)
        most = max(counts.values())
        winners = [label for label, count in counts.items() if count == most]
        values = [
            one.level.value for one in given if self.combine == "mean" or one.level.label in winners
        ]
        label = winners[0] if len(winners) == 1 else None
        return Ruling(sum(values) / len(values), label, tuple(verdicts))


def as_json(jurors: Sequence[Juror], ruling: Ruling) -> list[Json]:
    """Write what each juror said, for people who look at a sample."""
    return [_one_as_json(juror, said) for juror, said in zip(jurors, ruling.verdicts, strict=True)]


def _one_as_json(juror: Juror, said: Verdict | NoVerdict) -> Json:
    who: dict[str, Json] = {"judge": juror.role}
    if juror.draw:
        who["draw"] = juror.draw
    if isinstance(said, Verdict):
        return {**who, "verdict": said.level.label, "reason": said.reason}
    return {**who, "no_verdict": said.lack, "said": said.said[:500]}
