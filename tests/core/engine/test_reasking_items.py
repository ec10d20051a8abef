"""Asking again what took several requests: the sample as a whole, old answers until it ended."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.contracts import Ask, Item, SolverInput
from llmeval_core.engine import RunOutcome, SilentProgress, read_reask_filters, run_plan
from llmeval_core.engine.renewed_answers import RenewedAnswers
from llmeval_core.errors import ModelError
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.plan import Plan
from llmeval_core.records import Generation, Message, Request, Sample, SampleResult, Score
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, make_request
from llmeval_core.testing.running import plan_of
from tests.core.engine.test_items import CHAT, Chatting, Judging, Served, asked, samples_in

KEY = "chatting_0shot"


class Notices(SilentProgress):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def message(self, text: str) -> None:
        self.told.append(text)


class Speaker(Served):
    """Says by a function of the request; `says` can be changed between runs."""

    def __init__(self, says: Callable[[Request], str], endpoint: str | None = "a server") -> None:
        super().__init__(endpoint)
        self.says = says

    async def generate(self, request: Request) -> Generation:
        self.requests.append(request)
        return Generation((self.says(request),), stop_reasons=("stop",))

    def taken(self) -> list[str]:
        """Return the last messages of the requests since this was last called."""
        asked = [request.messages[-1].text for request in self.requests]
        self.requests.clear()
        return asked


def saying(text: str) -> Callable[[Request], str]:
    return lambda request: text


@dataclass(frozen=True)
class AskTwice:
    """Asks a question, and then whether that is so."""

    definition: str = "ask_twice@1"
    modes: frozenset[Any] = CHAT

    @property
    def roles(self) -> Mapping[str, int]:
        return {"model": 2}

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        first = await ask(start.question)
        turns = (Message("assistant", first.text), Message("user", "sure?"))
        return await ask(replace(start.question, messages=(*start.question.messages, *turns)))


async def run(
    home: Path, model: FakeModel, *filters: str, anew: bool = False, **config: Any
) -> tuple[RunOutcome, list[str]]:
    """Run; say how it ended, and what was told."""
    progress = Notices()
    config = {"ready_tasks": {"chatting": Chatting(n_items=3)}, **config}
    plan = plan_of(models={"fake": model}, **{"retry": {"max_attempts": 1}, **config})
    with Journal(home) as journal:
        outcome = await run_plan(
            plan, journal, progress=progress, reask=read_reask_filters(filters, anew=anew)
        )
    return outcome, progress.told


def lengths(outcome: RunOutcome) -> float | None:
    return outcome.summary.results[0].metrics[0].aggregate.value


def said(result: SampleResult) -> list[str]:
    return [turn.generation.text for turn in result.turns]


async def test_every_request_of_a_sample_is_asked_again_from_the_first(tmp_path: Path) -> None:
    model = Speaker(saying("old"))
    before, _ = await run(tmp_path, model)
    model.taken()
    model.says = saying("newer")

    after, told = await run(tmp_path, model, "id:1")

    assert model.taken() == ["talk 1", "and 1?", "and 2?"]
    assert told == ["fake/model chatting_0shot: 1 samples were asked again and replaced"]
    assert [said(one) for one in samples_in(tmp_path, KEY)] == [
        ["old"] * 3, ["newer"] * 3, ["old"] * 3,
    ]  # fmt: skip
    assert (lengths(before), lengths(after)) == (9.0, (9 + 15 + 9) / 3)


async def test_a_model_that_says_the_same_again_is_asked_all_the_same(tmp_path: Path) -> None:
    model = Speaker(saying("old"))
    await run(tmp_path, model)
    model.taken()

    await run(tmp_path, model, "all", concurrency=1)

    assert sorted(model.taken()) == sorted(
        [*(f"talk {n}" for n in range(3)), *["and 1?", "and 2?"] * 3]
    )


async def test_the_same_command_twice_asks_nothing_more(tmp_path: Path) -> None:
    model = Speaker(saying("old"))
    await run(tmp_path, model)
    model.taken()

    n_asked = []
    for anew in (False, False, True):
        outcome, told = await run(tmp_path, model, "all", anew=anew)
        n_asked.append(len(model.taken()))

    assert n_asked == [9, 0, 9]
    assert outcome.summary.n_failed == 0
    assert told == ["fake/model chatting_0shot: 3 samples were asked again and replaced"]


async def test_all_of_the_old_stays_where_a_later_request_fails(tmp_path: Path) -> None:
    model = Speaker(saying("old"))
    before, _ = await run(tmp_path, model)

    def failing(request: Request) -> str:
        if "talk 1" in request.messages[0].text and len(request.messages) > 1:
            raise ModelError("bad_request", "no")
        return "newer"

    model.says = failing
    after, told = await run(tmp_path, model, "all")
    kept = [said(one) for one in samples_in(tmp_path, KEY)]
    model.taken()
    model.says = saying("newest")
    later, _ = await run(tmp_path, model, "all")

    assert told == [
        "fake/model chatting_0shot: 2 samples were asked again and replaced; 1 were asked in vain,"
        " and the old ones stay; the same command tries these again"
    ]
    assert kept == [["newer"] * 3, ["old"] * 3, ["newer"] * 3]
    assert (after.summary.n_failed, lengths(before), lengths(after)) == (0, 9.0, (15 + 9 + 15) / 3)
    assert model.taken() == ["talk 1", "and 1?", "and 2?"]
    assert lengths(later) == (15 + 18 + 15) / 3


async def test_a_judge_is_asked_again_too(tmp_path: Path) -> None:
    model, judge = Speaker(saying("old")), Speaker(saying("0"), "the judge's server")
    task = {"chatting": Chatting(n_items=3, judge=True)}
    roles = {"judge": judge}
    await run(tmp_path, model, ready_tasks=task, role_models=roles)
    judge.taken()
    judge.says = saying("1")

    after, _ = await run(tmp_path, model, "id:2", ready_tasks=task, role_models=roles)

    assert judge.taken() == ["judge old of 2"]
    assert [one.scores["judged"].value for one in samples_in(tmp_path, KEY)] == [0.0, 0.0, 1.0]
    assert after.summary.results[0].metrics[1].aggregate.value == 1 / 3


async def test_all_of_the_old_stays_where_the_judge_fails(tmp_path: Path) -> None:
    model, judge = Speaker(saying("old")), Speaker(saying("1"), "the judge's server")
    task = {"chatting": Chatting(n_items=3, judge=True)}
    roles = {"judge": judge}
    await run(tmp_path, model, ready_tasks=task, role_models=roles)

    def failing(request: Request) -> str:
        raise ModelError("bad_request", "no")

    model.says, judge.says = saying("newer"), failing
    after, told = await run(tmp_path, model, "id:2", ready_tasks=task, role_models=roles)

    assert "1 were asked in vain" in told[0]
    assert [said(one) for one in samples_in(tmp_path, KEY)] == [["old"] * 3 + ["1"]] * 3
    assert [metric.aggregate.value for metric in after.summary.results[0].metrics] == [9.0, 1.0]


async def test_all_of_the_old_stays_where_one_of_two_metrics_fails(tmp_path: Path) -> None:
    model, judge = Speaker(saying("old")), Speaker(saying("1"), "the judge's server")
    config: dict[str, Any] = {
        "ready_tasks": None,
        "datasets": {"fake": FakeDataset([Sample("a", "question", ("newer",))])},
        "metrics": {"fake": FakeMetric(), "judging": Judging()},
        "role_models": {"judge": judge},
    }
    before, _ = await run(tmp_path, model, **config)

    def failing(request: Request) -> str:
        raise ModelError("bad_request", "no")

    model.says, judge.says = saying("newer"), failing
    after, told = await run(tmp_path, model, "all", **config)

    assert "1 were asked in vain" in told[0]
    assert [said(one) for one in samples_in(tmp_path, "fake_0shot")] == [["old", "1"]]
    assert before.summary.results[0].metrics == after.summary.results[0].metrics


async def test_a_judge_that_cannot_be_open_beside_the_model_is_asked_after_it(
    tmp_path: Path,
) -> None:
    model, judge = Speaker(saying("old"), None), Speaker(saying("0"), None)
    task = {"chatting": Chatting(n_items=3, judge=True)}
    roles = {"judge": judge}
    await run(tmp_path, model, ready_tasks=task, role_models=roles)
    model.says, judge.says = saying("newer"), saying("1")
    model.taken()
    judge.taken()

    after, _ = await run(tmp_path, model, "all", ready_tasks=task, role_models=roles)

    assert (len(model.taken()), len(judge.taken())) == (9, 3)
    assert [said(one) for one in samples_in(tmp_path, KEY)] == [["newer"] * 3 + ["1"]] * 3
    assert after.summary.results[0].metrics[1].aggregate.value == 1.0


async def test_what_never_ended_is_asked_before_the_judge_has_its_turn(tmp_path: Path) -> None:
    def away(request: Request) -> str:
        if request.messages[0].text == "question 2":
            raise ModelError("bad_request", "no")
        return "old"

    model, judge = Speaker(away, None), Speaker(saying("1"), None)
    given: dict[str, Any] = {
        "ready_tasks": None,
        "metrics": {"judging": Judging()},
        "role_models": {"judge": judge},
    }
    await run(tmp_path, model, **given)
    model.says = saying("newer")
    model.taken()

    after, _ = await run(tmp_path, model, "id:1", **given)

    assert after.errors == ()
    assert sorted(model.taken()) == ["question 1", "question 2"]
    texts = [said(one) for one in samples_in(tmp_path, "fake_0shot")]
    assert texts == [["old", "1"], ["newer", "1"], ["newer", "1"]]
    assert after.summary.n_failed == 0


async def test_a_run_that_was_stopped_asks_again_what_had_not_ended(tmp_path: Path) -> None:
    model = Speaker(saying("old"))
    await run(tmp_path, model)
    model.taken()

    def away(request: Request) -> str:
        if request.messages[0].text == "talk 2":
            raise ModelError("auth", "no longer")
        return "newer"

    model.says = away
    await run(tmp_path, model, "all", give_up_after=1, concurrency=1)
    done = {one.sample.id for one in samples_in(tmp_path, KEY) if said(one) == ["newer"] * 3}
    model.taken()
    model.says = saying("newer")
    later, _ = await run(tmp_path, model, "all")

    left = [f"talk {n}" for n in range(3) if str(n) not in done]
    assert [text for text in model.taken() if text.startswith("talk")] == left
    assert lengths(later) == 15.0


@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize("filters", [["all"], ["id:s1"], ["empty"]])
async def test_no_score_is_of_another_answer_than_the_journal_has(
    tmp_path: Path, filters: list[str], concurrency: int
) -> None:
    """Samples that ask the same share their answers, also if only one of them is meant."""
    samples = [Sample(f"s{n}", f"question {n % 2}", ("right",)) for n in range(6)]
    counted = itertools.count()
    config: dict[str, Any] = {
        "ready_tasks": None,
        "datasets": {"fake": FakeDataset(samples)},
        "solvers": {"twice": AskTwice()},
        "tasks": [{"dataset": "fake", "solver": "twice", "variant": "twice"}, {"dataset": "fake"}],
        "concurrency": concurrency,
    }
    model = Speaker(lambda request: ["right", "wrong", ""][next(counted) % 3])
    await run(tmp_path, model, **config)
    model.taken()

    await run(tmp_path, model, *filters, **config)
    model.taken()
    after, _ = await run(tmp_path, model, **config)

    assert not model.taken()
    with Journal(tmp_path) as journal, journal.reader() as reader:
        for result in after.summary.results:
            task = reader.task(result.task_fingerprint)
            assert task is not None
            found = list(reader.sample_results(task.id))
            kept = [one.generation.text for one in found if one.generation]
            scored = [one.scores["fake"].value or 0.0 for one in found]
            assert [float(text == "right") for text in kept] == scored
            assert result.metrics[0].aggregate.value == sum(scored) / 6


@dataclass(frozen=True)
class JudgedFirst(Chatting):
    """Asks the judge, the same for every model, and then the model; its items may wait."""

    gate: threading.Event = field(default_factory=threading.Event)

    def items(self) -> Iterator[Item]:
        self.gate.wait(10)
        return super().items()

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        verdict = await ask(asked("how is it?"), role="judge")
        return [verdict, await ask(asked("so?"))]

    async def score(
        self, item: Item, answers: Sequence[Generation], ask: Ask
    ) -> Mapping[str, Score]:
        return {"length": Score(float(len(answers[0].text))), "judged": Score(0.0)}


@pytest.mark.parametrize("is_late", [False, True])
async def test_what_was_made_of_an_answer_that_was_replaced_meanwhile_is_run_once_more(
    tmp_path: Path, is_late: bool
) -> None:
    """A model on another server is at work with the judge's old verdict while it is replaced.

    If it is late, it asks when the journal's writer has the new one, and may not have written it.
    """
    at_work, late = JudgedFirst(n_items=1, judge=True), JudgedFirst(n_items=1, judge=True)
    at_work.gate.set()
    quick, slow = Speaker(saying("yes"), "one server"), Speaker(saying("yes"), "another")
    judge = Speaker(saying("old"), "the judge's server")
    replaced = asyncio.Event()
    n_slow = itertools.count()

    async def generate(request: Request) -> Generation:
        if next(n_slow) == 0:
            raise ModelError("bad_request", "not yet")
        await replaced.wait()
        return Generation(("yes",), stop_reasons=("stop",))

    class Telling(Notices):
        def message(self, text: str) -> None:
            super().message(text)
            if "replaced" in text:
                replaced.set()
                late.gate.set()

    slow.generate = generate  # type: ignore[method-assign]

    def plan() -> Plan:
        made = plan_of(
            models={"quick": quick, "slow": slow},
            ready_tasks={"chatting": at_work},
            role_models={"judge": judge},
            retry={"max_attempts": 1},
        )
        first, second = made.evaluations
        tasks = tuple(replace(task, task=late if is_late else at_work) for task in second.tasks)
        return replace(made, evaluations=(first, replace(second, tasks=tasks)))

    with Journal(tmp_path) as journal:
        late.gate.set()
        await run_plan(plan(), journal)
        late.gate.clear()
        judge.says = saying("newer")
        outcome = await run_plan(
            plan(),
            journal,
            progress=Telling(),
            reask=read_reask_filters(["answered"], anew=False),
        )

    assert outcome.errors == ()
    values = {one.model: one.metrics[0].aggregate.value for one in outcome.summary.results}
    assert values == {"quick/model": 5.0, "slow/model": 5.0}


async def test_a_failed_sample_needs_no_flag_and_is_asked_on(tmp_path: Path) -> None:
    def failing(request: Request) -> str:
        if request.messages[0].text == "talk 1" and len(request.messages) > 1:
            raise ModelError("bad_request", "no")
        return "old"

    model = Speaker(failing)
    await run(tmp_path, model)
    model.taken()
    model.says = saying("old")

    after, _ = await run(tmp_path, model, "empty")

    assert model.taken() == ["and 1?", "and 2?"]
    assert (after.summary.n_failed, lengths(after)) == (0, 9.0)


async def test_a_new_answer_counts_for_all_from_when_it_is_kept_written_or_not(
    tmp_path: Path,
) -> None:
    request, new = make_request(), Generation(("new",))
    key = request.fingerprint
    with Journal(tmp_path) as journal:
        journal.put_answer(request, Generation(("old",)))
        renewed = RenewedAnswers(journal)
        before = time.monotonic()

        renewed.hold(request, new, parent=None)
        assert (renewed.get(key), renewed.kept(key)) == (new, None)
        renewed.keep(key)
        renewed.keep(key)  # of a second sample that asked the same
        await journal.flush()

        assert (renewed.get(key), renewed.kept(key)) == (new, new)
        assert renewed.was_kept_since(key, before)
        assert not renewed.was_kept_since(key, time.monotonic() + 1)
        found = journal.read(JournalQueries.generations, [key])
    assert found[key].text == "new"
