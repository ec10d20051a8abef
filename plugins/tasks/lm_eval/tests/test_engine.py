"""lm-eval's tasks in whole runs: asked, journalled, interrupted, gone on with, delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.task_source import LmEvalSource

from llmeval_core.hooks import TaskResult
from llmeval_core.testing import run_in
from plugins.tasks.lm_eval.tests.parity.by_llmeval import numbers_of, together
from plugins.tasks.lm_eval.tests.parity.compared_provider import ComparedProvider
from plugins.tasks.lm_eval.tests.parity.spec_table import WORDS

pytestmark = pytest.mark.filterwarnings("ignore")  # of lm-eval and what it is built on

FEW = 100
TASKS = "own_group,own_writing,own_repeats,own_golds,own_values,own_mixed,lambada_openai,wikitext"


def source(folder: Path, tasks: str = TASKS, **more: Any) -> LmEvalSource:
    return LmEvalSource(
        LmEvalSettings(
            tasks=tasks,
            include_path=(folder,),
            include_defaults=False,
            bootstrap_iters=FEW,
            **more,
        )
    )


def numbers(results: Iterable[TaskResult]) -> dict[str, dict[str, Any]]:
    return {
        one.dataset: {
            number.metric: (number.aggregate.value, number.aggregate.stderr)
            for number in one.metrics
        }
        for one in results
    }


async def test_a_run_gives_the_numbers_of_lm_eval(
    folder: Path, by_lm_eval: Callable[..., Any], tmp_path: Path
) -> None:
    expected, _ = by_lm_eval(TASKS.split(","), folder, answers=WORDS, bootstrap_iters=FEW)
    provider = ComparedProvider(WORDS)

    outcome = await run_in(
        tmp_path,
        ready_tasks={"lm_eval": source(folder)},
        models={"compared": provider},
        generation={"seed": 0},
    )

    assert outcome.summary.n_failed == 0
    assert together(numbers(outcome.summary.results)) == {
        name.replace("::", "."): numbers_of(found) for name, found in expected["results"].items()
    }
