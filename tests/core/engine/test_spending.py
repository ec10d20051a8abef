"""Budgets are kept also where a server does not tell, or tells nonsense, what was used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.config import BudgetConfig
from llmeval_core.engine.one_time_messages import OneTimeMessages
from llmeval_core.engine.progress import SilentProgress
from llmeval_core.engine.spending import Spending
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.records import Generation, Request
from llmeval_core.testing import FakeDataset, FakeModel, make_request, run_in
from llmeval_core.testing.running import plan_of


class Counting(FakeModel):
    """Tells the tokens of its answers as it was told to."""

    def __init__(self, n_prompt: Any, n_completion: Any) -> None:
        super().__init__()
        self._told = (n_prompt, n_completion)

    async def generate(self, request: Request) -> Generation:
        await super().generate(request)
        n_prompt, n_completion = self._told
        return Generation(("x" * 40,), n_prompt_tokens=n_prompt, n_completion_tokens=n_completion)


class Noting(SilentProgress):
    """Remembers what people should read."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def message(self, text: str) -> None:
        self.notices.append(text)


@pytest.mark.parametrize("told", [(None, None), (0, 0), (None, 10), (8, None)])
async def test_a_budget_counts_an_estimate_where_tokens_are_not_told_and_says_so_once(
    told: tuple[int | None, int | None], tmp_path: Path
) -> None:
    """s13-budget-without-usage."""
    model, progress = Counting(*told), Noting()

    outcome = await run_in(
        tmp_path,
        datasets={"d": FakeDataset(200)},
        models={"m": model},
        budget={"tokens": 100},
        progress=progress,
    )

    assert [error.where for error in outcome.errors] == ["budget"]
    assert outcome.errors[0].what.startswith("the budget of 100 tokens is used up (about 1")
    assert 5 <= len(model.requests) <= 30
    assert progress.notices == [
        "m/model: the server does not tell the tokens of each answer; the budget counts an "
        "estimate, a token for four characters"
    ]


async def test_a_budget_of_money_counts_estimates_too(tmp_path: Path) -> None:
    outcome = await run_in(
        tmp_path,
        datasets={"d": FakeDataset(200)},
        models={"m": Counting(None, None)},
        budget={"cost": 100.0},
        prices={"m/*": {"input": 1_000_000, "output": 1_000_000}},
    )

    assert [error.where for error in outcome.errors] == ["budget"]


async def test_requests_that_wait_for_their_turn_are_not_sent_once_the_budget_is_used_up(
    tmp_path: Path,
) -> None:
    """s13-budget-without-usage: all 40 had been pulled, and were asked although it was stopped."""
    model = Counting(20, 0)

    stopped = await run_in(
        tmp_path, datasets={"d": FakeDataset(40)}, models={"m": model}, budget={"tokens": 20}
    )
    again = Counting(20, 0)
    finished = await run_in(tmp_path, datasets={"d": FakeDataset(40)}, models={"m": again})

    assert len(model.requests) <= 9
    assert stopped.summary.results == ()
    assert stopped.summary.n_requests == len(model.requests)
    assert len(again.requests) == 40 - len(model.requests)
    assert finished.summary.n_failed == 0


counts = st.one_of(st.none(), st.integers(), st.floats(), st.booleans(), st.text(max_size=3))


@given(st.lists(st.tuples(counts, counts), max_size=20))
def test_no_count_lowers_what_is_used(told: list[tuple[Any, Any]]) -> None:
    (evaluation,) = plan_of().evaluations
    halted: list[bool] = []

    class Noted(StopSignal):
        def __init__(self) -> None:
            """Need no event loop."""

        def set(self) -> None:
            halted.append(True)

    spending = Spending(BudgetConfig(tokens=100), Noted(), OneTimeMessages(lambda text: None))
    used = [0]
    for n_prompt, n_completion in told:
        answer = Generation(("x",), n_prompt_tokens=n_prompt, n_completion_tokens=n_completion)
        spending.add(make_request(), answer, evaluation.model)
        used.append(spending.n_tokens)

    assert used == sorted(used)
    assert bool(halted) == (spending.error is not None)
