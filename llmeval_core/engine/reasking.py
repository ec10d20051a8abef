"""Which answers of the journal are asked for once more, though they are there.

A filter names them by how their samples ended, by a sample or by a task. The first time that a
filter is used on a task begins a round: what was answered before is asked again, once. The same
command again goes on with that round, and asks nothing if it is over. An answer stays until
there is a new one; if the model fails, it stays for good.

A sample of several requests is asked again as a whole, from its first request on, whatever roles it
asks. Its new answers take the place of the old ones together, when it has ended well.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from llmeval_core.contracts import Item
from llmeval_core.engine.sample_source import PreparedSample
from llmeval_core.errors import ConfigError
from llmeval_core.journal import Journal, SampleEnd
from llmeval_core.naming import did_you_mean
from llmeval_core.plan import PlannedTask
from llmeval_core.reasoning import ReasoningFinder
from llmeval_core.records import OUTCOMES, Failure, Generation, Outcome, Sample
from llmeval_core.scoring import outcome_of

_UNSCORED = Failure("metric", "")
_FORMS = f"{', '.join(OUTCOMES)}, id:SAMPLE, task:KEY or all"


@dataclass(frozen=True, slots=True)
class ReaskFilter:
    """What is asked for once more.

    Args:
        outcomes: samples that ended so.
        ids: these samples.
        tasks: all samples of these tasks, by key.
        everything: all samples.
        anew: whether a new round begins where an earlier one is over.
        started_at: when the run began, seconds since 1970, UTC.
    """

    outcomes: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    everything: bool = False
    anew: bool = False
    started_at: float = field(default_factory=time.time)

    @property
    def text(self) -> str:
        """The filters in one text, in an order of their own; it names the round."""
        named = [f"id:{one}" for one in sorted(self.ids)]
        named += [f"task:{one}" for one in sorted(self.tasks)]
        return " ".join([*sorted(self.outcomes), *named, *(["all"] if self.everything else [])])

    def fits(self, task: str, sample_id: str, outcome: Outcome) -> bool:
        """Whether a sample is meant."""
        return (
            self.everything
            or outcome in self.outcomes
            or sample_id in self.ids
            or task in self.tasks
        )


def read_reask_filters(filters: Iterable[str], *, anew: bool) -> ReaskFilter | None:
    """Read the filters of a command; None if there is none.

    Raises:
        ConfigError: a filter is of no form that we know.
    """
    outcomes: set[str] = set()
    ids: set[str] = set()
    tasks: set[str] = set()
    everything = False
    for text in filters:
        head, colon, rest = text.partition(":")
        if text in OUTCOMES:
            outcomes.add(text)
        elif text == "all":
            everything = True
        elif colon and rest and head in ("id", "task"):
            (ids if head == "id" else tasks).add(rest)
        else:
            raise ConfigError(
                f"'{text}' does not say what to ask again",
                where=f"--again {text}",
                hint=did_you_mean(text, [*OUTCOMES, "all"]) or f"give {_FORMS}",
            )
    if not (outcomes or ids or tasks or everything):
        if anew:
            raise ConfigError(
                "--anew needs to know what to ask", where="--anew", hint=f"add --again: {_FORMS}"
            )
        return None
    return ReaskFilter(
        frozenset(outcomes), frozenset(ids), frozenset(tasks), everything=everything, anew=anew
    )


class ReaskFinder:
    """Finds the answers of one task that are asked for once more; blocking.

    Args:
        reask: which are meant.
        task: whose.
        journal: where they are.

    Attributes:
        since: when the round began; what was answered later is not asked again.
    """

    def __init__(self, reask: ReaskFilter, task: PlannedTask, journal: Journal) -> None:
        self._reask = reask
        self._task = task
        self._journal = journal
        self._reasoning = ReasoningFinder(task.reasoning_tags)
        self._ended: dict[int, SampleEnd] = {}
        self.since = journal.begin_round(
            task.cache_key, reask.text, at=reask.started_at, anew=reask.anew
        )

    def remaining(
        self, task_id: int, samples: list[tuple[int, Sample]]
    ) -> list[tuple[int, Sample]]:
        """Leave out the samples that are finished and not meant."""
        first, last = samples[0][0], samples[-1][0]
        self._ended = self._journal.read(
            lambda reader: reader.rounds.sample_ends(task_id, first, last)
        )
        return [
            (index, sample)
            for index, sample in samples
            if (ended := self._ended.get(index)) is None
            or ended.is_failed
            or (
                (ended.answered_at or 0.0) < self.since
                and self._reask.fits(self._task.key, sample.id, ended.outcome)
            )
        ]

    def meant(self, task_id: int, items: list[tuple[int, Item]]) -> list[tuple[int, Item]]:
        """Choose the items that ended, and are asked for once more."""
        first, last = items[0][0], items[-1][0]
        ended = self._journal.read(lambda reader: reader.rounds.sample_ends(task_id, first, last))
        return [
            (index, item)
            for index, item in items
            if (end := ended.get(index)) is not None
            and (end.answered_at or 0.0) < self.since
            and self._reask.fits(self._task.key, item.sample.id, end.outcome)
        ]

    def take_replaceable(
        self, ready: list[PreparedSample], answers: dict[str, Generation]
    ) -> dict[str, Generation]:
        """Take the answers that are meant out of those that are known, and return them."""
        when = self._journal.read(lambda reader: reader.rounds.answered_at(answers))
        old: dict[str, Generation] = {}
        for item in ready:
            key = item.request.fingerprint if item.request is not None else ""
            answer = answers.get(key)
            if answer is None or when.get(key, self.since) >= self.since:
                continue
            ended = self._ended.get(item.index)
            failure = _UNSCORED if ended is not None and ended.outcome == "unscored" else None
            outcome = outcome_of(answer, failure, self._reasoning)
            if self._reask.fits(self._task.key, item.sample.id, outcome):
                old[key] = answers.pop(key)
        return old

    def summary(self, n_replaced: int, n_kept: int, *, of: str = "answers") -> str | None:
        """Say what became of it, for people; None if there is nothing to say."""
        if n_kept:
            return (
                f"{n_replaced} {of} were asked again and replaced; {n_kept} were asked in vain,"
                " and the old ones stay; the same command tries these again"
            )
        if n_replaced:
            return f"{n_replaced} {of} were asked again and replaced"
        if self.since < self._reask.started_at:
            day = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
            return f"nothing left to ask again since {day}; --anew asks once more"
        return f"no {of.removesuffix('s')} fits --again {self._reask.text}"
