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


async def test_a_run_that_broke_off_goes_on_with_what_is_missing(
    folder: Path, library: None, tmp_path: Path
) -> None:
    tasks = "own_choice,own_repeats,winogrande"
    whole, first = ComparedProvider(WORDS), ComparedProvider(WORDS, fails_after=25)
    second = ComparedProvider(WORDS)
    options: dict[str, Any] = {"generation": {"seed": 0}, "concurrency": 3}

    broken = await run_in(
        tmp_path / "a",
        ready_tasks={"lm_eval": source(folder, tasks)},
        models={"m": first},
        **options,
    )
    gone_on = await run_in(
        tmp_path / "a",
        ready_tasks={"lm_eval": source(folder, tasks)},
        models={"m": second},
        **options,
    )
    expected = await run_in(
        tmp_path / "b",
        ready_tasks={"lm_eval": source(folder, tasks)},
        models={"m": whole},
        **options,
    )

    assert broken.summary.n_unfinished > 0
    assert numbers(gone_on.summary.results) == numbers(expected.summary.results)
    asked = [request.fingerprint for one in (first, second) for request in one.requests]
    assert sorted(asked) == sorted(request.fingerprint for request in whole.requests)
