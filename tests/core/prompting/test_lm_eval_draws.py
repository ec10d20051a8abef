"""`few_shot: {select: lm-eval}` draws what lm-eval's own sampler drew, whatever is asked when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.engine import preview
from llmeval_core.errors import ConfigError
from llmeval_core.plan import Plan
from llmeval_core.prompting import Prompter
from llmeval_core.records import Sample
from llmeval_core.testing import FakeDataset, FakeModel, run_in
from llmeval_core.testing.running import plan_of

# Written by lm-eval 0.4.13, see plugins/tasks/lm_eval/tests/few_shot_goldens.py
GOLDENS = json.loads((Path(__file__).parent / "lm_eval_draws.json").read_text(encoding="utf-8"))
SAME_SPLIT = next(golden for golden in GOLDENS if golden["case"] == "the same split")


def samples_of(texts: list[str]) -> list[Sample]:
    return [Sample(str(n), text, (f"answer of {text}",)) for n, text in enumerate(texts)]


def dataset_of(golden: dict[str, Any]) -> FakeDataset:  # Any: JSON, here and below
    return FakeDataset(samples_of(golden["documents"]), pool=samples_of(golden["pool"]))


def settings_of(golden: dict[str, Any]) -> dict[str, Any]:
    few_shot = {"select": "lm-eval", "seed": golden["seed"], "one_more": golden["one_more"]}
    return {"shots": golden["n_shots"], "few_shot": few_shot}


def plan_with(golden: dict[str, Any], **task: Any) -> Plan:
    tasks = [{"dataset": "fake", **settings_of(golden), **task}]
    return plan_of(datasets={"fake": dataset_of(golden)}, tasks=tasks)


def prompter_of(golden: dict[str, Any], **task: Any) -> Prompter:
    (evaluation,) = plan_with(golden, **task).evaluations
    made = Prompter(evaluation.model, evaluation.tasks[0])
    made.load_pool()
    return made


def shown(prompter: Prompter, sample: Sample) -> list[str]:
    return [message.text for message in prompter.request(sample).messages[:-1:2]]


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden["case"])
def test_each_sample_has_the_examples_that_lm_eval_gives_it(golden: dict[str, Any]) -> None:
    prompter = prompter_of(golden)

    samples = samples_of(golden["documents"])
    backwards = [shown(prompter, sample) for sample in reversed(samples)]
    assert backwards[::-1] == golden["drawn"]


def test_a_limit_changes_no_examples() -> None:
    prompter = prompter_of(SAME_SPLIT, limit=7)

    found = [shown(prompter, sample) for sample in samples_of(SAME_SPLIT["documents"])[:7]]
    assert found == SAME_SPLIT["drawn"][:7]


@pytest.mark.parametrize("case", ["the same split", "another split"])
def test_whether_it_is_the_same_split_is_found_out_from_the_samples(case: str) -> None:
    golden = next(one for one in GOLDENS if one["case"] == case)
    prompter = prompter_of(golden, few_shot={"select": "lm-eval"}, limit=3)

    found = [shown(prompter, sample) for sample in samples_of(golden["documents"])[:3]]
    assert found == golden["drawn"][:3]


async def test_a_run_that_goes_on_asks_with_the_same_examples(tmp_path: Path) -> None:
    async def examples_of(limit: int | None, concurrency: int) -> dict[str, list[str]]:
        model = FakeModel()
        await run_in(
            tmp_path,
            datasets={"fake": dataset_of(SAME_SPLIT)},
            models={"fake": model},
            tasks=[{"dataset": "fake", **settings_of(SAME_SPLIT), "limit": limit}],
            concurrency=concurrency,
        )
        return {
            request.messages[-1].text: [message.text for message in request.messages[:-1:2]]
            for request in model.requests
        }

    first, then = await examples_of(9, 1), await examples_of(None, 16)

    assert (len(first), len(then)) == (9, 31)
    expected = zip(SAME_SPLIT["documents"], SAME_SPLIT["drawn"], strict=True)
    assert first | then == dict(expected)


def test_ids_that_are_no_row_numbers_make_two_rows_different() -> None:
    pool = [Sample(f"row {n}", "q", ("a",)) for n in range(4)]
    plan = plan_of(
        datasets={"fake": FakeDataset(pool)},
        tasks=[{"dataset": "fake", "shots": 3, "few_shot": {"select": "lm-eval"}}],
    )
    prompter = Prompter(plan.evaluations[0].model, plan.evaluations[0].tasks[0])

    prompter.load_pool()

    assert shown(prompter, pool[0]) == ["q"] * 3


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("the same split", []),
        ("another split", []),
        (
            "another split that has the documents too",
            [
                "fake_3shot: of 3 samples the examples have the sample itself with its answer, as"
                " lm-eval would show it; `one_more: true` leaves it out"
            ],
        ),
    ],
)
def test_a_sample_that_is_its_own_example_is_told(
    case: str, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    golden = next(one for one in GOLDENS if one["case"] == case)
    own = sum(
        document in drawn
        for document, drawn in zip(golden["documents"], golden["drawn"], strict=True)
    )

    prompter_of(golden)

    assert caplog.messages == told
    assert own == 3 * len(told)


def test_the_seed_is_lm_evals_own_and_not_the_runs() -> None:
    def fingerprints(run_seed: int, **few_shot: Any) -> str:
        plan = plan_of(
            tasks=[{"dataset": "fake", "shots": 1, "few_shot": {"select": "lm-eval", **few_shot}}],
            seed=run_seed,
        )
        return plan.evaluations[0].tasks[0].fingerprint

    assert fingerprints(0) == fingerprints(5) == fingerprints(0, seed=1234)
    assert fingerprints(0, seed=1) != fingerprints(0)
    assert fingerprints(0, one_more=True) != fingerprints(0, one_more=False)


@pytest.mark.parametrize(
    ("n_shots", "texts", "told"),
    [
        (3, ["a", "b", "c"], "has 3 samples, 3 are asked for, and lm-eval draws one more"),
        (2, ["a", "a", "b"], "has only 1 sample beside copies of '0', 2 are asked for"),
    ],
)
def test_a_pool_that_is_too_small_is_told_before_anything_is_asked(
    n_shots: int, texts: list[str], told: str
) -> None:
    golden = {
        "documents": texts, "pool": texts, "n_shots": n_shots, "seed": 1234, "one_more": True,
    }  # fmt: skip

    with pytest.raises(ConfigError) as caught:
        preview(plan_with(golden), None)

    assert str(caught.value) == (
        f"the few-shot pool of 'fake' {told}\n"
        f"  where: fake_{n_shots}shot\n"
        "  try:   ask for fewer shots, or name a larger pool"
    )


@pytest.mark.parametrize(
    ("few_shot", "told", "hint"),
    [
        (
            {"select": "lm-eval", "pool_size": 10},
            "`pool_size` would cut the pool, and lm-eval draws from all of it",
            "leave `pool_size` out",
        ),
        (
            {"select": "first", "seed": 1},
            "`seed` says how lm-eval draws, and `select` is first",
            "add `select: lm-eval`, or leave it out",
        ),
        (
            {"one_more": True},
            "`one_more` says how lm-eval draws, and `select` is random",
            "add `select: lm-eval`, or leave it out",
        ),
    ],
)
def test_settings_that_do_not_belong_together_are_refused(
    few_shot: dict[str, Any], told: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(tasks=[{"dataset": "fake", "shots": 1, "few_shot": few_shot}])

    assert told in str(caught.value)
    assert caught.value.hint == hint
