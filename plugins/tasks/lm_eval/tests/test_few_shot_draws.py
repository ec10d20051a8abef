"""`few_shot: {select: lm-eval}` of a hand-written task makes the prompts that lm-eval makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.task_source import LmEvalSource

from llmeval_core.hooks import Sample, TaskOptions
from llmeval_core.testing import FakeDataset, FakeModel, run_in
from plugins.tasks.lm_eval.tests.few_shot_goldens import GOLDENS, make_goldens, written

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of lm-eval and what it is built on
    pytest.mark.usefixtures("library"),
]

_YAML = """
task: drawn
custom_dataset: !function code.load
dataset_path: mine
output_type: generate_until
doc_to_text: "Q: {{q}}\\nA:"
doc_to_target: "{{a}}"
metric_list: [{metric: exact_match}]
"""
_CODE = """
from datasets import Dataset, DatasetDict
def load(**_):
    return DatasetDict({split: Dataset.from_list(rows) for split, rows in SPLITS.items()})
"""


def rows_of(start: str, n: int, *, different: int | None = None) -> list[dict[str, str]]:
    return [
        {"q": f"{start}{number % (different or n)}", "a": f"a{number % (different or n)}"}
        for number in range(n)
    ]


SPLITS = {
    "train": rows_of("train", 50),
    "validation": rows_of("validation", 40),
    "test": rows_of("test", 60),
    "copies": rows_of("copy", 24, different=6),
}


def test_the_goldens_of_the_core_are_what_lm_eval_draws() -> None:
    assert GOLDENS.read_text(encoding="utf-8") == written(make_goldens())


@pytest.mark.parametrize(
    ("named", "pool", "evaluated", "few_shot"),
    [
        ({"test_split": "test", "fewshot_split": "train"}, "train", "test", {}),
        ({"test_split": "test", "fewshot_split": "test"}, "test", "test", {}),
        ({"test_split": "copies", "fewshot_split": "copies"}, "copies", "copies", {}),
        (
            {"training_split": "train", "validation_split": "validation"},
            "train",
            "validation",
            {"one_more": True},
        ),
        ({"validation_split": "validation"}, "validation", "validation", {}),
        ({"training_split": "train", "test_split": "test"}, "train", "test", {}),
    ],
)
async def test_prompts_are_those_of_lm_eval(
    tmp_path: Path,
    named: dict[str, str],
    pool: str,
    evaluated: str,
    few_shot: dict[str, Any],
) -> None:
    (tmp_path / "code.py").write_text(f"SPLITS = {SPLITS!r}\n{_CODE}", encoding="utf-8")
    splits = "".join(f"{key}: {split}\n" for key, split in named.items())
    (tmp_path / "drawn.yaml").write_text(_YAML + splits, encoding="utf-8")
    settings = LmEvalSettings(tasks="drawn", include_path=(tmp_path,), include_defaults=False)
    (theirs,) = LmEvalSource(settings).load(TaskOptions(n_shots=4)).tasks
    model = FakeModel()

    await run_in(
        tmp_path / "home",
        datasets={"mine": FakeDataset(samples_of(evaluated), pool=samples_of(pool))},
        models={"fake": model},
        tasks=[
            {
                "dataset": "mine",
                "shots": 4,
                "few_shot": {"select": "lm-eval", **few_shot},
                "prompt": {"mode": "completion", "template": "Q: {{ input }}\nA:"},
            }
        ],
    )

    prompts = {request.sample_id: request.prompt for request in model.requests}
    asked = {item.sample.id: item.questions[0].prompt for item in theirs.items()}
    assert {sample_id: asked[sample_id] for sample_id in prompts} == prompts
    assert {*prompts.values()} == {*asked.values()}


def samples_of(split: str) -> Sequence[Sample]:
    return [Sample(str(n), row["q"], (row["a"],)) for n, row in enumerate(SPLITS[split])]
