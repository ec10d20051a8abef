"""What judges and conversations use counts for the budget, and is told by role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmeval_core.engine import preview
from llmeval_core.errors import ConfigError
from llmeval_core.journal import Journal
from llmeval_core.testing import FakeDataset, run_in
from llmeval_core.testing.running import plan_of
from tests.core.engine.test_items import Chatting, Judging, Served, samples_in, values

JUDGED: dict[str, Any] = {
    "datasets": {"fake": FakeDataset(40)},
    "metrics": {"judging": Judging()},
    "concurrency": 2,
}
PRICES = {"fake/*": {"input": 0, "output": 0}, "role-*": {"input": 1e6, "output": 1e6}}
"""A judge's answer costs 5, one of the evaluated model nothing."""


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({"tokens": 100}, "the budget of 100 tokens is used up (10"),
        ({"cost": 30}, "the budget of 30 is used up (3"),
    ],
)
async def test_a_run_stops_when_its_judge_has_used_up_the_budget_and_goes_on_without_loss(
    budget: dict[str, float], told: str, tmp_path: Path
) -> None:
    model, judge = Served("a"), Served("b")
    given = JUDGED | {"models": {"fake": model}, "role_models": {"judge": judge}}
    asked = []

    for _ in range(20):
        outcome = await run_in(tmp_path, **given, prices=PRICES, budget=budget)
        asked.append(len(judge.requests))
        assert bool(outcome.errors) == bool(outcome.summary.n_unfinished)
        if not outcome.errors:
            break
        assert [error.what[: len(told)] for error in outcome.errors] == [told]
        assert [error.where for error in outcome.errors] == ["budget"]
        assert outcome.summary.results == ()
        assert outcome.summary.n_unfinished == 1

    assert len(asked) > 2
    assert (len(model.requests), len(judge.requests)) == (40, 40)
    assert len({request.fingerprint for request in judge.requests}) == 40
    straight = await run_in(
        tmp_path / "straight", **JUDGED, models={"fake": Served()},
        role_models={"judge": Served("b")},
    )  # fmt: skip
    assert values(outcome) == values(straight)
    (result,) = outcome.summary.results
    assert (result.cost, result.roles["judge"].cost) == (0, 200)
    assert (result.n_prompt_tokens, result.roles["judge"].n_prompt_tokens) == (120, 120)


async def test_a_conversation_that_the_budget_ends_goes_on_in_its_turn(tmp_path: Path) -> None:
    model, judge = Served("a"), Served("b")
    given: dict[str, Any] = {
        "ready_tasks": {"chatting": Chatting(n_items=20, judge=True)},
        "models": {"fake": model},
        "role_models": {"judge": judge},
        "concurrency": 3,
    }

    for _ in range(40):
        outcome = await run_in(tmp_path, **given, budget={"tokens": 50})
        if not outcome.errors:
            break

    assert outcome.errors == ()
    assert (len(model.requests), len(judge.requests)) == (60, 20)


def test_a_plan_tells_the_cost_of_a_judge_that_alone_is_to_be_asked() -> None:
    plan = plan_of(
        **JUDGED, models={"fake": Served()}, role_models={"judge": Served("b")}, prices=PRICES
    )

    (task,) = preview(plan, None)

    (role,) = task.roles
    assert task.estimate.cost == 0
    assert role.estimate.cost is not None
    assert role.estimate.cost > 200


def test_a_budget_needs_a_price_of_each_role() -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(
            **JUDGED,
            models={"fake": Served()},
            role_models={"judge": Served("b")},
            prices={"fake/*": {"input": 1, "output": 1}},
            budget={"cost": 1},
        )

    assert str(caught.value) == (
        "there is a budget, and no price for 'role-judge/model'\n"
        "  where: budget.cost\n"
        "  try:   add `prices: {role-judge/model: {input: ..., output: ...}}`, for a million tokens"
        " each"
    )


def test_a_plan_says_whose_cost_is_not_known() -> None:
    given = JUDGED | {"models": {"fake": Served()}, "role_models": {"judge": Served("b")}}

    priced = plan_of(**given, prices=PRICES)
    partly = plan_of(**given, prices={"fake/*": {"input": 1, "output": 1}})
    not_at_all = plan_of(**given)

    assert (priced.notes, not_at_all.notes) == ((), ())
    assert partly.notes == (
        "no price for role-judge/model: costs are those of the other models alone",
    )


async def test_a_finished_judge_costs_nothing_more(tmp_path: Path) -> None:
    given = JUDGED | {"models": {"fake": Served()}, "role_models": {"judge": Served("b")}}
    await run_in(tmp_path, **given, prices=PRICES)

    again = await run_in(tmp_path, **given, prices=PRICES, budget={"cost": 0.001})

    assert again.errors == ()
    assert (again.summary.n_requests, again.summary.cost) == (0, 0)
    with Journal(tmp_path) as journal:
        (task,) = preview(plan_of(**given, prices=PRICES), journal)
    assert [(one.n_requests, one.estimate.cost) for one in task.roles] == [(0, 0)]


async def test_what_two_metrics_ask_alike_is_told_and_counted_once(tmp_path: Path) -> None:
    judge = Served("b")
    given = JUDGED | {"metrics": {"judging": Judging(), "again": Judging()}}

    outcome = await run_in(
        tmp_path,
        **given,
        models={"fake": Served()},
        role_models={"judge": judge},
        prices=PRICES,
    )

    (result,) = outcome.summary.results
    assert len(judge.requests) == result.roles["judge"].n_requests == 40
    assert outcome.summary.cost == result.roles["judge"].cost == 200
    assert {len(sample.turns) for sample in samples_in(tmp_path, "fake_0shot")} == {2}
