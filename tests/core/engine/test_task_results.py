"""What a result says of the samples that it is made of."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.completeness import coverage_of
from llmeval_core.engine import run_plan
from llmeval_core.engine.known_results import known_result
from llmeval_core.engine.task_results import make_task_result
from llmeval_core.journal import Journal, RoleTotals, TaskTotals
from llmeval_core.testing.running import plan_of


def test_a_result_that_lacks_samples_does_not_pass_for_a_whole_one() -> None:
    plan = plan_of()
    (evaluation,) = plan.evaluations
    totals = TaskTotals(2, 0, 2, {"answered": 2}, model=RoleTotals(), others={})

    result = make_task_result(
        plan,
        evaluation.model,
        evaluation.tasks[0],
        totals=totals,
        n_read=3,
        metrics=(),
        started_at=0.0,
    )

    assert (result.n_samples, result.n_total) == (2, 3)
    assert not coverage_of(result).is_whole


async def test_a_result_that_lacks_samples_does_not_spare_them_the_next_run(
    tmp_path: Path,
) -> None:
    plan = plan_of()
    (evaluation,) = plan.evaluations
    with Journal(tmp_path) as journal:
        outcome = await run_plan(plan, journal)
        (result,) = outcome.summary.results
        await journal.save(result.model_copy(update={"id": "x", "n_samples": 2}), ())

        known = known_result(journal, result.model, evaluation.tasks[0], replace=False)

    assert (result.n_samples, result.n_total) == (3, 3)
    assert known is None
