"""Tasks that ask as they like: several requests, follow-ups, judges; resumed and stopped."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.conditions import what_differs
from llmeval_core.contracts import (
    Ask,
    GroupMetric,
    Item,
    MetricAsk,
    MetricInfo,
    ModelInfo,
    Question,
    SolverInput,
    TaskGroup,
    TaskOptions,
    TaskSet,
    UnansweredError,
    all_tasks_alike,
)
from llmeval_core.engine import preview, read_reask_filters, run_plan
from llmeval_core.errors import ConfigError, FailureKind, ModelError
from llmeval_core.journal import Journal
from llmeval_core.records import (
    Failure,
    Generation,
    Message,
    Mode,
    Request,
    Sample,
    SampleResult,
    Score,
    TaskResult,
)
from llmeval_core.statistics import mean_aggregate
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, ListTracker, run_in
from llmeval_core.testing.running import plan_of

CHAT: frozenset[Mode] = frozenset({"chat"})


def asked(text: str, *before: Message) -> Question:
    return Question((*before, Message("user", text)))


@dataclass(frozen=True)
class Chatting:
    """Asks `n_turns` times, each time with all that was said; then a judge, if it has one."""

    n_items: int = 5
    n_turns: int = 3
    judge: bool = False
    version: str = "1"
    name: str = "chatting"
    n_shots: int = 0
    modes: frozenset[Mode] = CHAT

    @property
    def metrics(self) -> Mapping[str, MetricInfo]:
        names = ("length", "judged") if self.judge else ("length",)
        return {
            name: MetricInfo(f"{name}@1", higher_is_better=True, aggregate=mean_aggregate)
            for name in names
        }

    @property
    def roles(self) -> Mapping[str, int]:
        return {"model": self.n_turns - 1} | ({"judge": 1} if self.judge else {})

    def fingerprint(self) -> str:
        return f"{self.n_items} {self.n_turns} {self.version}"

    def size(self) -> int | None:
        return self.n_items

    def items(self) -> Iterator[Item]:
        for number in range(self.n_items):
            yield Item(Sample(str(number), f"talk {number}"), (asked(f"talk {number}"),))

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        (question,) = item.questions
        answers = [await ask(question)]
        for turn in range(1, self.n_turns):
            said = (*question.messages, Message("assistant", ask.without_reasoning(answers[-1])))
            question = asked(f"and {turn}?", *said)
            answers.append(await ask(question))
        return answers

    async def score(
        self, item: Item, answers: Sequence[Generation], ask: Ask
    ) -> Mapping[str, Score]:
        scores = {
            "length": Score(float(sum(len(ask.without_reasoning(answer)) for answer in answers)))
        }
        if self.judge:
            verdict = await ask(
                asked(f"judge {ask.without_reasoning(answers[-1])} of {item.sample.id}"),
                role="judge",
            )
            scores["judged"] = Score(
                float("1" in ask.without_reasoning(verdict, role="judge")),
                details={"said": verdict.text},
            )
        return scores


class Served(FakeModel):
    """A model behind a server of its own."""

    def __init__(self, endpoint: str | None = "a server", **more: Any) -> None:
        super().__init__(**more)
        self.endpoint = endpoint

    def describe(self, model: str) -> ModelInfo:
        return replace(super().describe(model), endpoint=self.endpoint)


def values(outcome: Any) -> dict[str, float | None]:
    return {
        metric.key: metric.aggregate.value
        for result in outcome.summary.results
        for metric in result.metrics
    }


def samples_in(home: Path, key: str) -> list[SampleResult]:
    with Journal(home) as journal, journal.reader() as reader:
        (task,) = [task for task in reader.tasks() if task.key == key]
        return list(reader.sample_results(task.id))


async def test_an_item_asks_as_often_as_it_likes(tmp_path: Path) -> None:
    model = FakeModel()

    outcome = await run_in(
        tmp_path, models={"fake": model}, ready_tasks={"chatting": Chatting(n_items=4)}
    )

    assert outcome.errors == ()
    assert values(outcome) == {"chatting_0shot_length": 6.0 + 6.0 + 6.0}
    assert len(model.requests) == 12
    assert outcome.summary.n_requests == 12
    found = samples_in(tmp_path, "chatting_0shot")
    assert [len(result.turns) for result in found] == [3, 3, 3, 3]
    last = found[0].request
    assert last is not None
    assert [message.text for message in last.messages] == [
        "talk 0",
        "talk 0",
        "and 1?",
        "and 1?",
        "and 2?",
    ]


async def test_a_judge_is_asked_by_its_role(tmp_path: Path) -> None:
    model, judge = Served(), Served("the judge's server")

    outcome = await run_in(
        tmp_path,
        models={"fake": model},
        role_models={"judge": judge},
        ready_tasks={"chatting": Chatting(judge=True)},
    )

    assert outcome.errors == ()
    assert values(outcome)["chatting_0shot_judged"] == 0.2
    assert (len(model.requests), len(judge.requests)) == (15, 5)
    found = samples_in(tmp_path, "chatting_0shot")
    assert [turn.role for turn in found[0].turns] == ["model", "model", "model", "judge"]
    assert found[1].scores["judged"].details == {"said": "judge and 2? of 1"}
    assert (model.n_closed, judge.n_closed) == (1, 1)


@pytest.mark.parametrize("concurrency", [1, 2, 16])
async def test_numbers_do_not_depend_on_concurrency(tmp_path: Path, concurrency: int) -> None:
    outcome = await run_in(
        tmp_path,
        models={"fake": Served()},
        role_models={"judge": Served("b")},
        ready_tasks={"chatting": Chatting(n_items=40, judge=True)},
        concurrency=concurrency,
    )

    assert values(outcome) == {
        "chatting_0shot_length": pytest.approx((10 * 6 + 30 * 7) / 40 + 12),
        "chatting_0shot_judged": pytest.approx(13 / 40),
    }


async def test_a_model_may_judge_itself_with_one_request_at_a_time(tmp_path: Path) -> None:
    model = Served()

    async with asyncio.timeout(20):
        outcome = await run_in(
            tmp_path,
            models={"fake": model},
            ready_tasks={"chatting": Chatting(judge=True)},
            concurrency=1,
            roles={"judge": "fake/model"},
        )

    assert outcome.errors == ()
    assert len(model.requests) == 20
    assert model.most_under_way == 1


class Dying(FakeModel):
    """Stops the run at its n-th request."""

    def __init__(self, stop: asyncio.Event, *, at: int) -> None:
        super().__init__()
        self._stop_event = stop
        self._at = at

    async def generate(self, request: Request) -> Generation:
        answer = await super().generate(request)
        if len(self.requests) >= self._at:
            self._stop_event.set()
        return answer


async def test_a_run_that_was_stopped_goes_on_in_the_same_turn(tmp_path: Path) -> None:
    stop = asyncio.Event()
    first, second = Dying(stop, at=17), FakeModel()
    task = Chatting(n_items=20, n_turns=4)

    stopped = await run_in(
        tmp_path, models={"fake": first}, ready_tasks={"chatting": task}, stop=stop, concurrency=3
    )
    whole = await run_in(tmp_path, models={"fake": second}, ready_tasks={"chatting": task})

    assert stopped.summary.interrupted
    assert stopped.summary.results == ()
    assert 17 <= len(first.requests) < 40
    assert len(first.requests) + len(second.requests) == 80, "no turn is asked again"
    fresh = await run_in(tmp_path / "fresh", ready_tasks={"chatting": task})
    assert values(whole) == values(fresh)


async def test_the_same_run_again_asks_nothing(tmp_path: Path) -> None:
    await run_in(tmp_path, ready_tasks={"chatting": Chatting()})
    model = FakeModel()

    outcome = await run_in(tmp_path, models={"fake": model}, ready_tasks={"chatting": Chatting()})

    assert model.requests == []
    assert values(outcome) == {"chatting_0shot_length": 18.0}


async def test_other_scores_need_no_new_answers(tmp_path: Path) -> None:
    await run_in(tmp_path, ready_tasks={"chatting": Chatting()})
    model = FakeModel()

    await run_in(tmp_path, models={"fake": model}, ready_tasks={"chatting": Chatting(version="2")})

    assert model.requests == []


async def test_a_turn_that_fails_fails_the_sample(tmp_path: Path) -> None:
    def answer(text: str) -> str:
        if text == "and 1?":
            raise ModelError("bad_request", "too long")
        return text

    outcome = await run_in(
        tmp_path,
        models={"fake": FakeModel(answer)},
        ready_tasks={"chatting": Chatting(n_items=2)},
    )

    assert "every sample failed: too long" in str(outcome.errors[0])
    found = samples_in(tmp_path, "chatting_0shot")
    assert [(result.outcome, len(result.turns)) for result in found] == [("failed", 0)] * 2
    assert found[0].request is not None
    assert found[0].request.messages[-1].text == "talk 0"


async def test_a_judge_that_fails_leaves_the_sample_unscored(tmp_path: Path) -> None:
    def judge(text: str) -> str:
        if text.endswith("3"):
            raise ModelError("bad_request", "I judge no such thing")
        return text

    outcome = await run_in(
        tmp_path,
        models={"fake": Served()},
        role_models={"judge": Served("b", answer=judge)},
        ready_tasks={"chatting": Chatting(judge=True)},
    )

    (result,) = outcome.summary.results
    assert result.outcomes == {"answered": 4, "unscored": 1}
    found = samples_in(tmp_path, "chatting_0shot")[3]
    assert found.failure is not None
    assert found.failure.message == "judge: I judge no such thing"


async def test_a_judge_that_always_fails_is_named_with_what_to_try(tmp_path: Path) -> None:
    def judge(text: str) -> str:
        raise ModelError("bad_request", "I judge no such thing")

    outcome = await run_in(
        tmp_path,
        models={"fake": Served()},
        role_models={"judge": Served("b", answer=judge)},
        ready_tasks={"chatting": Chatting(judge=True)},
    )

    (error,) = outcome.errors
    assert str(error) == (
        "every sample failed: judge: I judge no such thing\n"
        "  where: fake/model, chatting_0shot, judge role-judge/model\n"
        "  try:   `llmeval samples` shows what was asked and answered; answers are kept, and the"
        " same command scores them again"
    )


async def test_a_judge_that_cannot_be_used_ends_this_task_only(tmp_path: Path) -> None:
    def judge(text: str) -> str:
        raise ModelError("auth", "wrong key")

    outcome = await run_in(
        tmp_path,
        models={"fake": Served()},
        role_models={"judge": Served("b", answer=judge)},
        ready_tasks={"chatting": Chatting(judge=True), "plain": Chatting(name="plain")},
    )

    assert [(error.what, error.where) for error in outcome.errors] == [
        (
            "the judge, role-judge/model, cannot be asked: wrong key",
            "fake/model, chatting_0shot",
        )
    ]
    assert values(outcome) == {"plain_0shot_length": 18.0}


async def test_an_unknown_role_is_refused_by_the_plan(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        await run_in(tmp_path, ready_tasks={"chatting": Chatting(judge=True)})

    assert str(caught.value) == (
        "no model has the role 'judge'\n"
        "  where: tasks[0]\n"
        "  try:   name one in the run file: `roles: {judge: provider/model}`,"
        " or by `--role judge=provider/model`"
    )


async def test_a_model_that_cannot_be_asked_so_is_refused_by_the_plan(tmp_path: Path) -> None:
    model = FakeModel(modes=frozenset({"completion"}))

    with pytest.raises(ConfigError, match="cannot be asked for chat"):
        await run_in(tmp_path, models={"fake": model}, ready_tasks={"chatting": Chatting()})


@dataclass(frozen=True)
class Broken(Chatting):
    """Does something wrong when it answers or scores."""

    wrong: str = ""

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        if self.wrong == "no answers":
            return []
        if self.wrong == "raises" and item.sample.id == "1":
            raise KeyError("oops")
        if self.wrong == "cannot" and item.sample.id == "1":
            raise ValueError("it has no script")
        return await super().answer(item, ask)

    async def score(
        self, item: Item, answers: Sequence[Generation], ask: Ask
    ) -> Mapping[str, Score]:
        if self.wrong == "nan" and item.sample.id == "1":
            return {"length": Score(float("nan"))}
        if self.wrong == "other" and item.sample.id == "1":
            return {"size": Score(1.0)}
        return await super().score(item, answers, ask)


@pytest.mark.parametrize(
    ("wrong", "kind", "outcome", "message"),
    [
        ("raises", "plugin", "failed", "KeyError: 'oops' (a bug in the task; tell its author)"),
        ("cannot", "prompt", "failed", "it has no script"),
        ("nan", "metric", "unscored", "length: the score is not a finite number"),
        (
            "other",
            "metric",
            "unscored",
            "TypeError: score() gave other metrics than the task has: length, size"
            " (a bug in the task; tell its author)",
        ),
    ],
)
async def test_what_a_task_does_wrong_fails_the_sample(
    tmp_path: Path, wrong: str, kind: str, outcome: str, message: str
) -> None:
    done = await run_in(tmp_path, ready_tasks={"chatting": Broken(wrong=wrong)})

    found = samples_in(tmp_path, "chatting_0shot")[1]
    assert found.failure is not None
    assert (found.failure.kind, found.outcome, found.failure.message) == (kind, outcome, message)
    assert done.summary.n_failed == 1


async def test_equal_questions_of_many_items_are_asked_once(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Same(Chatting):
        def items(self) -> Iterator[Item]:
            for number in range(self.n_items):
                yield Item(Sample(str(number), "same"), (asked("same"),))

    model = FakeModel(latency_s=0.002)

    await run_in(tmp_path, models={"fake": model}, ready_tasks={"same": Same(n_items=30)})

    assert len(model.requests) == 3


async def test_a_plain_task_and_items_share_answers_whatever_their_order(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Backwards(Chatting):
        def items(self) -> Iterator[Item]:
            for number in reversed(range(self.n_items)):
                text = f"question {number}"
                yield Item(Sample(str(number), text), (asked(text),))

    model = Served(latency_s=0.002)

    await run_in(
        tmp_path,
        models={"fake": model},
        ready_tasks={"back": Backwards(n_items=100, n_turns=1, name="back")},
        datasets={"fake": FakeDataset(100)},
        metrics={"fake": FakeMetric()},
        concurrency=4,
    )

    assert len(model.requests) == 100


@dataclass(frozen=True)
class Judging:
    """A metric that asks a judge."""

    definition: str = "judging@1"
    higher_is_better: bool = True
    roles: Mapping[str, int] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", {"judge": 1})

    async def score(self, sample: Sample, generation: Generation, ask: Ask) -> Score:
        verdict = await ask(asked(f"is {generation.text} right for {sample.id}"), role="judge")
        return Score(float(verdict.text.endswith(("1", "2"))))

    def aggregate(self, scores: Any) -> Any:
        return mean_aggregate(scores)


async def test_a_judge_that_is_added_later_asks_the_model_nothing_again(tmp_path: Path) -> None:
    datasets = {"fake": FakeDataset(6)}
    await run_in(tmp_path, datasets=datasets, models={"fake": Served()})
    model, judge = Served(), Served("b")

    outcome = await run_in(
        tmp_path,
        datasets=datasets,
        models={"fake": model},
        role_models={"judge": judge},
        metrics={"fake": FakeMetric(), "judging": Judging()},
    )

    assert (len(model.requests), len(judge.requests)) == (0, 6)
    assert values(outcome) == {"fake_0shot_fake": 1.0, "fake_0shot_judging": pytest.approx(2 / 6)}


async def test_a_number_says_which_model_judged(tmp_path: Path) -> None:
    class Rotating(FakeModel):
        async def generate(self, request: Request) -> Generation:
            return replace(await super().generate(request), served_by="j-2024-08-06")

    results: list[TaskResult] = []
    for role_models in ({"judge": Served("b")}, {"judge": Rotating(cache_key="other")}):
        outcome = await run_in(
            tmp_path,
            role_models=role_models,
            metrics={"fake": FakeMetric(), "judging": Judging()},
            datasets={"fake": FakeDataset(3)},
        )
        results += outcome.summary.results

    definitions = [[metric.definition for metric in result.metrics] for result in results]
    assert definitions == [["fake@1", "judging@1+judge=role-judge/model"]] * 2
    assert what_differs(*results) == ("roles.judge", "served_by.judge")


async def test_results_of_different_judges_are_told_apart(tmp_path: Path) -> None:
    plans = [
        plan_of(
            models={"fake": FakeModel(), "j": Served("b")},
            metrics={"judging": Judging()},
            roles={"judge": f"j/{name}"},
        )
        for name in ("small", "large")
    ]
    with Journal(tmp_path) as journal:
        results = [(await run_plan(plan, journal)).summary.results[0] for plan in plans]

    assert [result.metrics[0].definition for result in results] == [
        "judging@1+judge=j/small",
        "judging@1+judge=j/large",
    ]
    assert what_differs(*results) == ("metrics.judging.definition", "roles.judge")


async def test_the_numbers_of_a_ready_made_task_say_who_has_its_roles(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path,
        role_models={"judge": FakeModel(cache_key="j")},
        ready_tasks={"chatting": Chatting(n_items=2, judge=True)},
    )

    (result,) = outcome.summary.results
    assert [metric.definition for metric in result.metrics] == [
        "length@1+judge=role-judge/model",
        "judged@1+judge=role-judge/model",
    ]


async def test_two_models_in_this_process_are_open_one_after_the_other(tmp_path: Path) -> None:
    model, judge = FakeModel(), FakeModel()

    class Watching(FakeModel):
        async def open(self, name: str) -> FakeModel:
            assert (model.n_opened, model.n_closed) == (1, 1), "both would be in memory"
            return await judge.open(name)

    outcome = await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(6), "more": FakeDataset(3, name="more")},
        models={"fake": model},
        role_models={"judge": Watching()},
        metrics={"judging": Judging()},
    )

    assert outcome.errors == ()
    assert len(values(outcome)) == 2
    assert (len(model.requests), len(judge.requests)) == (6, 6)
    assert (judge.n_opened, judge.n_closed) == (1, 1)


@dataclass(frozen=True)
class Twice:
    """A solver that asks again."""

    definition: str = "twice@1"
    modes: frozenset[Mode] = CHAT

    @property
    def roles(self) -> Mapping[str, int]:
        return {"model": 2}

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        first = await ask(start.question)
        again = await ask(replace(start.question, draw=1))
        return max(again, first, key=start.read)


async def test_a_solver_answers_samples(tmp_path: Path) -> None:
    model = FakeModel()

    outcome = await run_in(
        tmp_path,
        models={"fake": model},
        solvers={"twice": Twice()},
        tasks=[{"dataset": "fake", "solver": "twice"}],
    )

    assert values(outcome) == {"fake_0shot_fake": 1.0}
    assert len(model.requests) == 6
    assert len({request.fingerprint for request in model.requests}) == 6


async def test_a_solver_changes_nothing_for_the_task_without_it(tmp_path: Path) -> None:
    await run_in(tmp_path)
    model = FakeModel()

    await run_in(
        tmp_path,
        models={"fake": model},
        solvers={"twice": Twice()},
        tasks=[{"dataset": "fake", "solver": "twice"}, {"dataset": "fake", "variant": "v"}],
    )

    assert len(model.requests) == 3, "the first question is that of the plain task"


async def test_a_task_catches_what_was_not_answered(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Patient(Chatting):
        async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
            try:
                return [await ask(item.questions[0])]
            except UnansweredError:
                return [await ask(asked("something else"))]

    def answer(text: str) -> str:
        if text == "talk 1":
            raise ModelError("bad_request", "no")
        return text

    outcome = await run_in(
        tmp_path, models={"fake": FakeModel(answer)}, ready_tasks={"p": Patient(name="p")}
    )

    assert outcome.summary.n_failed == 0
    assert values(outcome) == {"p_0shot_length": (4 * 6 + 14) / 5}


async def test_a_time_limit_ends_items(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path,
        models={"fake": FakeModel(latency_s=0.2)},
        ready_tasks={"chatting": Chatting(n_items=3, n_turns=8)},
        timeouts={"task_s": 0.5},
    )

    assert "timeouts.task_s was over" in str(outcome.errors[0])
    assert samples_in(tmp_path, "chatting_0shot")[0].outcome == "failed"


async def test_a_budget_counts_the_judge_too(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path,
        models={"fake": Served()},
        role_models={"judge": Served("b")},
        ready_tasks={"chatting": Chatting(n_items=100, judge=True)},
        budget={"tokens": 100},
        concurrency=2,
    )

    assert "the budget of 100 tokens is used up" in str(outcome.errors[0])
    assert 100 <= outcome.summary.n_tokens <= 120


# --- what it costs, by role


PRICES = {"fake/model": {"input": 1, "output": 1}, "role-judge/model": {"input": 10, "output": 10}}


async def test_tokens_and_cost_are_told_by_role(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path,
        models={"fake": Served()},
        role_models={"judge": Served("b")},
        ready_tasks={"chatting": Chatting(n_items=10, judge=True)},
        prices=PRICES,
    )

    (result,) = outcome.summary.results
    assert (result.n_prompt_tokens, result.n_completion_tokens) == (90, 60)
    assert result.cost == pytest.approx(150e-6)
    judge = result.roles["judge"]
    assert (judge.model, judge.n_requests) == ("role-judge/model", 10)
    assert (judge.n_prompt_tokens, judge.n_completion_tokens) == (30, 20)
    assert judge.cost == pytest.approx(500e-6)
    assert outcome.summary.cost == pytest.approx(650e-6)


async def test_a_plan_tells_requests_by_role(tmp_path: Path) -> None:
    tasks = {"chatting": Chatting(n_items=10, judge=True)}
    given: dict[str, Any] = {
        "models": {"fake": Served()},
        "role_models": {"judge": Served("b")},
        "ready_tasks": tasks,
        "prices": PRICES,
    }

    (before,) = preview(plan_of(**given), None)
    await run_in(tmp_path, **given)
    with Journal(tmp_path) as journal:
        (after,) = preview(plan_of(**given), journal)

    assert (before.n_samples, before.n_answered, before.n_requests) == (10, 0, 30)
    assert [(role.role, role.n_requests) for role in before.roles] == [("judge", 10)]
    assert before.roles[0].estimate.cost is not None
    assert (after.n_answered, after.n_requests, after.roles[0].n_requests) == (10, 0, 0)


async def test_a_judge_that_is_added_later_reads_what_was_answered(tmp_path: Path) -> None:
    await run_in(tmp_path, ready_tasks={"chatting": Chatting(n_turns=1)})
    given: dict[str, Any] = {
        "ready_tasks": {"chatting": Chatting(n_turns=1, judge=True)},
        "role_models": {"judge": Served("b")},
        "generation": {"max_tokens": 2},
    }
    await run_in(
        tmp_path, ready_tasks={"chatting": Chatting(n_turns=1)}, generation={"max_tokens": 2}
    )

    (fresh,) = preview(plan_of(**given), None)
    with Journal(tmp_path) as journal:
        (added,) = preview(plan_of(**given), journal)

    assert (fresh.n_requests, added.n_requests) == (5, 0)
    assert added.roles[0].estimate.n_prompt_tokens > 0
    assert added.roles[0].estimate == fresh.roles[0].estimate


async def test_answers_that_were_cut_off_are_left_out_if_the_run_says_so(tmp_path: Path) -> None:
    class CutOff(FakeModel):
        async def generate(self, request: Request) -> Generation:
            answer = await super().generate(request)
            return replace(answer, stop_reasons=("length" if "3" in answer.text else "stop",))

    given: dict[str, Any] = {"ready_tasks": {"chatting": Chatting(n_turns=1)}}
    scored = await run_in(tmp_path, models={"fake": CutOff()}, **given)
    excluded = await run_in(tmp_path, models={"fake": CutOff()}, **given, truncated="exclude")

    (before,), (after,) = scored.summary.results, excluded.summary.results
    assert (before.outcomes, before.metrics[0].aggregate.n_scored) == (
        {"answered": 4, "truncated": 1},
        5,
    )
    aggregate = after.metrics[0].aggregate
    assert (aggregate.n_scored, aggregate.n_excluded) == (4, 1)
    assert before.task_fingerprint != after.task_fingerprint
    assert after.settings["truncated"] == "exclude"


# --- groups


@dataclass(frozen=True)
class Subjects:
    """Stands for three tasks and two groups of them."""

    def load(self, options: TaskOptions) -> TaskSet:
        tasks = tuple(
            Chatting(n_items=n, n_turns=1, name=f"subject{n}", n_shots=options.n_shots or 0)
            for n in (1, 10, 100)
        )
        names = tuple(task.name for task in tasks)
        return TaskSet(
            tasks,
            (
                TaskGroup("subjects", {"length": GroupMetric(names)}),
                TaskGroup("alike", {"length": GroupMetric(names, all_tasks_alike, "alike@1")}),
            ),
        )


async def test_a_group_is_a_result_of_its_own(tmp_path: Path) -> None:
    tracker = ListTracker()
    given: dict[str, Any] = {"ready_tasks": {"s": Subjects()}, "trackers": {"list": tracker}}

    outcome = await run_in(tmp_path, **given)

    means = [6.0, 6.0, (10 * 6 + 90 * 7) / 100]
    assert values(outcome) == {
        "subject1_0shot_length": means[0],
        "subject10_0shot_length": means[1],
        "subject100_0shot_length": pytest.approx(means[2]),
        "subjects_0shot_length": pytest.approx((6 + 60 + 690) / 111),
        "alike_0shot_length": pytest.approx(sum(means) / 3),
    }
    assert outcome.summary.n_samples == 111, "samples of groups are not counted again"
    group = next(one for one in outcome.summary.results if one.task == "subjects_0shot")
    assert (group.n_samples, group.n_total) == (111, 111)
    assert group.metrics[0].definition == "length@1, all-samples-alike@1"
    assert len(tracker.results) == 5


async def test_the_numbers_of_a_group_may_be_of_different_tasks(tmp_path: Path) -> None:
    class Mixed:
        def load(self, options: TaskOptions) -> TaskSet:
            plain = Chatting(n_items=3, n_turns=1, name="plain")
            judged = Chatting(n_items=20, n_turns=1, name="judged", judge=True)
            group = TaskGroup(
                "mixed",
                {
                    "judged": GroupMetric(("judged",)),
                    "length": GroupMetric(("plain", "judged"), all_tasks_alike, "alike@1"),
                },
            )
            return TaskSet((plain, judged), (group,))

    outcome = await run_in(
        tmp_path,
        ready_tasks={"m": Mixed()},
        role_models={"judge": FakeModel(cache_key="j")},
    )

    found = values(outcome)
    assert found["mixed_0shot_judged"] == found["judged_0shot_judged"]
    assert found["mixed_0shot_length"] == pytest.approx((6.0 + (10 * 6 + 10 * 7) / 20) / 2)
    group = next(one for one in outcome.summary.results if one.task == "mixed_0shot")
    assert [one.aggregate.n_scored for one in group.metrics] == [20, 23]
    assert group.n_samples == 23


async def test_a_group_that_did_not_change_is_not_delivered_again(tmp_path: Path) -> None:
    tracker = ListTracker()
    given: dict[str, Any] = {"ready_tasks": {"s": Subjects()}, "trackers": {"list": tracker}}

    await run_in(tmp_path, **given)
    again = await run_in(tmp_path, **given)

    assert len(again.summary.results) == 5
    assert len(tracker.results) == 5


async def test_a_group_stands_with_the_results_of_its_tasks(tmp_path: Path) -> None:
    """Asked for in one way, in another one, and in the first way again."""
    given: dict[str, Any] = {"ready_tasks": {"s": Subjects()}}
    for max_tokens in (10, 20, 10):
        await run_in(tmp_path, generation={"max_tokens": max_tokens}, **given)

    with Journal(tmp_path) as journal, journal.reader() as reader:
        current = [
            reader.current_result("fake/model", f"{name}_0shot")
            for name in ("subject1", "subjects", "alike")
        ]
        fingerprints = {
            one.task: one.task_fingerprint for one in itertools.islice(reader.results(), 5)
        }

    assert all(one is not None for one in current)
    assert {one.task: one.task_fingerprint for one in current if one is not None} == {
        name: fingerprints[name] for name in ("subject1_0shot", "subjects_0shot", "alike_0shot")
    }


async def test_shots_and_limit_reach_ready_made_tasks(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path, ready_tasks={"s": Subjects()}, tasks=[{"task": "s", "shots": 5, "limit": 5}]
    )

    assert set(values(outcome)) >= {"subject100_5shot_length", "subjects_5shot_length"}
    assert outcome.summary.n_samples == 1 + 5 + 5


async def test_a_task_that_knows_its_size_only_when_it_has_run_is_asked_again(
    tmp_path: Path,
) -> None:
    @dataclass(frozen=True)
    class Late(Chatting):
        read: list[int] = field(default_factory=list)

        def size(self) -> int | None:
            return self.n_items if self.read else None

        def items(self) -> Iterator[Item]:
            self.read.append(1)
            return super().items()

    outcome = await run_in(
        tmp_path,
        ready_tasks={"chatting": Late(n_items=7)},
        tasks=[{"task": "chatting", "limit": 2}],
    )

    (result,) = outcome.summary.results
    assert (result.n_samples, result.n_total) == (2, 7)


async def test_a_task_that_keeps_to_its_examples_is_planned_once(tmp_path: Path) -> None:
    class Stubborn(Subjects):
        def load(self, options: TaskOptions) -> TaskSet:
            loaded = super().load(options)
            *others, last = loaded.tasks
            assert isinstance(last, Chatting)
            return TaskSet((*others, replace(last, n_shots=0)), loaded.groups)

    plan = plan_of(ready_tasks={"s": Stubborn()}, tasks=[{"task": "s", "shots": [0, 5]}])

    (evaluation,) = plan.evaluations
    assert [task.key for task in evaluation.tasks] == [
        "subject1_0shot",
        "subject10_0shot",
        "subject100_0shot",
        "subject1_5shot",
        "subject10_5shot",
    ]
    assert list(evaluation.groups[-1].members.values()) == [
        "subject1_5shot",
        "subject10_5shot",
        "subject100_0shot",
    ]
    assert plan.notes == ("'subject100' shows 0 examples, not 5",)


async def test_a_key_of_a_data_set_is_refused_beside_a_ready_made_task(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        await run_in(
            tmp_path,
            ready_tasks={"s": Subjects()},
            tasks=[{"task": "s", "metrics": ["fake"]}],
        )

    assert str(caught.value) == (
        "wrong value: `metrics` is no setting of a ready-made task, which brings its own\n"
        "  where: tasks[0]\n"
        "  try:   leave it out, or ask a data set with `dataset:`"
    )


async def test_an_answer_that_is_asked_again_is_scored_again_wherever_it_was_used(
    tmp_path: Path,
) -> None:
    judging: dict[str, Any] = {
        "datasets": {"fake": FakeDataset(4)},
        "role_models": {"judge": Served("b")},
        "metrics": {"judging": Judging()},
    }
    await run_in(tmp_path, models={"fake": Served()}, **judging)
    await run_in(tmp_path, models={"fake": Served()}, datasets={"fake": FakeDataset(4)})
    again = read_reask_filters(["all"], anew=False)
    plan = plan_of(models={"fake": Served(answer=lambda _: "1")}, datasets=judging["datasets"])
    with Journal(tmp_path) as journal:
        await run_plan(plan, journal, reask=again)

    judge = Served("b")
    outcome = await run_in(
        tmp_path, models={"fake": Served()}, **(judging | {"role_models": {"judge": judge}})
    )

    assert len(judge.requests) == 4, "there are other answers to judge"
    assert values(outcome) == {"fake_0shot_judging": 2 / 4}


async def test_what_was_answered_before_the_time_was_over_is_unscored_and_not_failed(
    tmp_path: Path,
) -> None:
    given: dict[str, Any] = {
        "datasets": {"fake": FakeDataset(3)},
        "metrics": {"judging": Judging()},
        "models": {"fake": Served()},
    }

    class Slow(Served):
        async def generate(self, request: Request) -> Generation:
            await asyncio.sleep(0 if request.sample_id == "0" else 60)
            return await super().generate(request)

    async with asyncio.timeout(20):
        late = await run_in(
            tmp_path, **given, role_models={"judge": Slow("b")}, timeouts={"task_s": 0.5}
        )
    found = samples_in(tmp_path, "fake_0shot")
    outcome = await run_in(tmp_path, **given, role_models={"judge": Served("b")})

    assert late.summary.n_failed == 2
    assert [sample.outcome for sample in found] == ["answered", "unscored", "unscored"]
    assert [sample.failure for sample in found[1:]] == [
        Failure("time_limit", "judging: judge: no answer before timeouts.task_s was over")
    ] * 2
    assert outcome.summary.n_requests == 2, "the answers were kept"


@dataclass
class Listening:
    """A metric that remembers what it was told of the conversation."""

    definition: str = "listening@1"
    higher_is_better: bool = True
    roles: Mapping[str, int] = field(default_factory=lambda: {"judge": 1})
    heard: list[tuple[list[str], list[str]]] = field(default_factory=list)

    def score(self, sample: Sample, generation: Generation, ask: MetricAsk) -> Score:
        self.heard.append(
            ([one.text for one in ask.conversation], [one.text for one in ask.follow_ups])
        )
        return Score(1.0)

    def aggregate(self, scores: Any) -> Any:
        return mean_aggregate(scores)


@dataclass(frozen=True)
class TalkingOn(Twice):
    """A solver that goes on talking; the answer is made of both, or is the first one."""

    made: bool = False

    async def solve(self, start: SolverInput, ask: Ask) -> Generation:
        first = await ask(start.question)
        said = (*start.question.messages, Message("assistant", first.text), Message("user", "so?"))
        again = await ask(replace(start.question, messages=said))
        return replace(again, texts=(f"{first.text} {again.text}",)) if self.made else first


@pytest.mark.parametrize(
    ("solver", "prompt", "heard"),
    [
        (None, {}, (["be short", "question 0"], [])),
        (None, {"mode": "completion", "system": None}, (["question 0"], [])),
        (Twice(), {}, (["be short", "question 0"], [])),
        (TalkingOn(), {}, (["be short", "question 0"], [])),
        (
            TalkingOn(made=True),
            {},
            (["be short", "question 0", "question 0", "so?"], ["question 0", "so?"]),
        ),
    ],
    ids=["plain", "completion", "repeats", "the first answer", "made of both"],
)
async def test_a_metric_that_asks_sees_the_conversation_that_the_answer_ended(
    tmp_path: Path, solver: Any, prompt: dict[str, Any], heard: tuple[list[str], list[str]]
) -> None:
    metric = Listening()

    await run_in(
        tmp_path,
        datasets={"fake": FakeDataset(1)},
        metrics={"listening": metric},
        role_models={"judge": FakeModel(cache_key="j")},
        solvers={"solver": solver} if solver else {},
        tasks=[
            {"dataset": "fake", "prompt": {"system": "be short", **prompt}}
            | ({"solver": "solver"} if solver else {})
        ],
    )

    assert metric.heard == [heard]


@pytest.mark.parametrize("kind", ["auth", "not_found"])
async def test_a_judge_whose_key_is_refused_later_is_given_up(
    tmp_path: Path, kind: FailureKind
) -> None:
    class Expiring(Served):
        async def generate(self, request: Request) -> Generation:
            answer = await super().generate(request)
            if len(self.requests) > 10:
                raise ModelError(kind, "no more", hint="renew the key")
            return answer

    given: dict[str, Any] = {
        "datasets": {"fake": FakeDataset(300)},
        "metrics": {"judging": Judging()},
        "models": {"fake": Served()},
        "concurrency": 4,
        "retry": {"max_attempts": 1},
        "give_up_after": 5,
    }
    judge = Expiring("b")

    outcome = await run_in(tmp_path, **given, role_models={"judge": judge})
    again = await run_in(tmp_path, **given, role_models={"judge": Served("b")})

    (error,) = outcome.errors
    assert re.fullmatch(
        r"the judge, role-judge/model, cannot be asked: \d requests in a row were refused: no more",
        error.what,
    )
    assert error.hint == "renew the key"
    assert len(judge.requests) < 30
    assert again.errors == ()
    assert again.summary.n_failed == 0
