"""lm-eval's tasks by lm-eval itself and by llmeval: the same prompts, numbers, standard errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.task_yaml import parse_yaml

from plugins.tasks.lm_eval.tests.parity.by_llmeval import (
    ContractResults,
    evaluate_by_llmeval,
    numbers_of,
    requests_of,
    together,
)
from plugins.tasks.lm_eval.tests.parity.own_tasks import YAML
from plugins.tasks.lm_eval.tests.parity.spec_table import SPECS, WORDS, ParitySpec

pytestmark = pytest.mark.filterwarnings("ignore")  # of lm-eval and what it is built on

Evaluate = Callable[..., tuple[dict[str, Any], list[Any]]]
FEW = 100
"""Resamples for standard errors, where not all are drawn."""


def settings_for(folder: Path, tasks: str, **more: Any) -> LmEvalSettings:
    return LmEvalSettings(
        tasks=tasks,
        include_path=(folder,),
        include_defaults=False,
        bootstrap_iters=more.pop("bootstrap_iters", FEW),
        **more,
    )


def digest(requests: list[tuple[str, ...]]) -> str:
    return hashlib.sha256(repr(requests).encode()).hexdigest()


def texts_of(prompts: list[Any]) -> list[tuple[str, ...]]:
    """Return what lm-eval's model was asked, without settings."""
    return [tuple(part for part in one if isinstance(part, str)) for one in prompts]


def assert_same_numbers(found: dict[str, Any], results: ContractResults) -> None:
    """Compare every number and standard error, strictly."""
    ours = {
        name: {key: (one.value, one.stderr) for key, one in numbers.items() if one.n_scored}
        for name, numbers in together(results.aggregates).items()
    }

    assert ours == {
        name.replace("::", "."): numbers_of(numbers) for name, numbers in found["results"].items()
    }


@pytest.mark.parametrize("spec", [pytest.param(spec, id=spec.task) for spec in SPECS])
def test_a_task_gives_the_same_as_in_lm_eval(
    spec: ParitySpec, folder: Path, by_lm_eval: Evaluate
) -> None:
    found, prompts = by_lm_eval(
        [spec.task],
        folder,
        answers=spec.answers,
        num_fewshot=spec.n_shots,
        limit=spec.limit,
        bootstrap_iters=FEW,
    )

    results = evaluate_by_llmeval(
        settings_for(folder, spec.task),
        answers=spec.answers,
        n_shots=spec.n_shots,
        limit=spec.limit,
    )

    assert digest(texts_of(prompts)) == digest(requests_of(results.asked))
    assert_same_numbers(found, results)
    assert found["n-shot"][spec.task] == results.tasks.tasks[0].n_shots
    directions = {one.higher_is_better for one in results.tasks.tasks[0].metrics.values()}
    assert directions == set(found["higher_is_better"][spec.task].values())


@pytest.mark.parametrize("name", [*YAML, "own_mixed"])
@pytest.mark.parametrize("n_shots", [None, 3])
def test_a_task_of_ones_own_gives_the_same(
    name: str, n_shots: int | None, folder: Path, by_lm_eval: Evaluate
) -> None:
    found, _ = by_lm_eval([name], folder, answers=WORDS, num_fewshot=n_shots, bootstrap_iters=FEW)

    results = evaluate_by_llmeval(settings_for(folder, name), answers=WORDS, n_shots=n_shots)

    assert_same_numbers(found, results)


@pytest.mark.parametrize("name", ["own_group", "own_inner", "own_writing"])
def test_a_group_gives_the_same_numbers(name: str, folder: Path, by_lm_eval: Evaluate) -> None:
    found, _ = by_lm_eval([name], folder, answers=WORDS, limit=7, bootstrap_iters=FEW)

    results = evaluate_by_llmeval(settings_for(folder, name), answers=WORDS, limit=7)

    assert {group.name for group in results.tasks.groups} == {
        one.replace("::", ".") for one in found["groups"]
    }
    assert_same_numbers(found, results)


@pytest.mark.parametrize("multiturn", [True, False])
@pytest.mark.parametrize("name", ["gsm8k", "own_golds", "triviaqa"])
def test_a_conversation_is_the_same(
    name: str, multiturn: bool, folder: Path, by_lm_eval: Evaluate
) -> None:
    found, prompts = by_lm_eval(
        [name],
        folder,
        answers=WORDS,
        num_fewshot=2,
        apply_chat_template=True,
        fewshot_as_multiturn=multiturn,
        system_instruction="Be brief.",
        bootstrap_iters=FEW,
    )

    results = evaluate_by_llmeval(
        settings_for(
            folder,
            name,
            apply_chat_template=True,
            fewshot_as_multiturn=multiturn,
            system_instruction="Be brief.",
        ),
        answers=WORDS,
        n_shots=2,
    )

    assert {question.mode for question in results.asked} == {"chat"}
    assert texts_of(prompts) == requests_of(results.asked)
    assert_same_numbers(found, results)


def test_rows_of_files_give_the_same(folder: Path, tmp_path: Path, by_lm_eval: Evaluate) -> None:
    rows = json.loads((folder / "hellaswag.json").read_text(encoding="utf-8"))
    for split, listed in rows.items():
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, listed)), "utf-8")
    included = parse_yaml(folder / "hellaswag.yaml")["include"]
    files = ", ".join(f"{split}: {tmp_path}/{split}.jsonl" for split in rows)
    (tmp_path / "mine.yaml").write_text(
        f"include: {included}\ntask: mine\ntag: null\ndataset_path: json\n"
        f"dataset_kwargs: {{data_files: {{{files}}}, cache_dir: {tmp_path}/cache}}\n",
        encoding="utf-8",
    )
    found, _ = by_lm_eval(["mine"], tmp_path, answers=WORDS, num_fewshot=2, bootstrap_iters=FEW)

    results = evaluate_by_llmeval(settings_for(tmp_path, "mine"), answers=WORDS, n_shots=2)

    assert_same_numbers(found, results)


def test_the_whole_bootstrap_draws_as_lm_eval_does(folder: Path, by_lm_eval: Evaluate) -> None:
    found, _ = by_lm_eval(["lambada_openai"], folder, answers=WORDS)

    results = evaluate_by_llmeval(
        settings_for(folder, "lambada_openai", bootstrap_iters=100_000), answers=WORDS
    )

    assert_same_numbers(found, results)
    assert results.aggregates["lambada_openai"]["perplexity"].stderr_method == (
        "bootstrap with 100000 resamples, lm-eval's seeds"
    )


def test_at_least_60_tasks_of_40_families_are_compared(folder: Path) -> None:
    included = [Path(parse_yaml(folder / f"{spec.task}.yaml")["include"]) for spec in SPECS]
    families = {path.parts[path.parts.index("tasks") + 1] for path in included}

    assert len(SPECS) >= 60
    assert len(families) >= 40
