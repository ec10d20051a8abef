"""Tasks of lm-eval that weigh whole texts, and choices without a prompt, by an embedded model."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from llmeval_models.llamacpp.llama_cpp_provider import LlamaCppProvider
from llmeval_models.model_settings import LlamaCppSettings

import llmeval
from llmeval_core.hooks import Model
from llmeval_core.testing import make_request

MODEL = "smollm2-135m-instruct"
CONTEXT_SIZE = 64
PAGES = (
    "The tower is 324 metres tall, about the same height as an 81-storey building. " * 5,
    "Short.",
    "富士山は高い。 " * 6,
)
WHOLE = """
task: whole
custom_dataset: !function rows.load
dataset_path: whole
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{page}}"
metric_list: [{metric: word_perplexity}, {metric: byte_perplexity}, {metric: bits_per_byte}]
"""
CHOSEN = """
task: chosen
custom_dataset: !function rows.load
dataset_path: chosen
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: [" Paris", " a banana"]
doc_to_target: 0
metric_list: [{metric: acc}, {metric: acc_mutual_info}]
"""
ROWS = f"""
from datasets import Dataset, DatasetDict
PAGES = {PAGES!r}
def load(**_):
    rows = [{{"page": page, "question": "The capital of France is"}} for page in PAGES]
    return DatasetDict({{"test": Dataset.from_list(rows)}})
"""
RUN = f"""
models:
  - {{name: llamacpp/{MODEL}, context_size: {CONTEXT_SIZE}, n_parallel: 1}}
tasks:
  - task: {{use: lm_eval, tasks: "whole,chosen", include_path: [tasks], include_defaults: false}}
"""


@pytest.fixture
async def expected() -> list[float]:
    """Give the log-likelihood of each page, from the model itself."""
    settings = LlamaCppSettings(context_size=CONTEXT_SIZE, n_parallel=1)
    model: Model = await LlamaCppProvider(settings).open(MODEL)
    found = []
    for page in PAGES:
        answer = await model.generate(make_request(page, mode="rolling"))
        found.append(answer.loglikelihoods[0].logprob)
    await model.aclose()
    return found


def test_lm_eval_s_perplexities_are_those_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: list[float]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    for name, text in (("whole.yaml", WHOLE), ("chosen.yaml", CHOSEN), ("rows.py", ROWS)):
        (tmp_path / "tasks" / name).write_text(text, encoding="utf-8")
    (tmp_path / "eval.yaml").write_text(RUN, encoding="utf-8")

    report = llmeval.run("eval.yaml", progress=False)

    found = {row.key: row.value for row in report.results}
    n_words = sum(len(re.split(r"\s+", page)) for page in PAGES)
    n_bytes = sum(len(page.encode()) for page in PAGES)
    total = math.fsum(expected)
    assert found["whole_0shot_word_perplexity"] == pytest.approx(
        math.exp(-total / n_words), rel=1e-3
    )
    assert found["whole_0shot_byte_perplexity"] == pytest.approx(
        math.exp(-total / n_bytes), rel=1e-3
    )
    assert found["whole_0shot_bits_per_byte"] == pytest.approx(
        -total / n_bytes / math.log(2), rel=1e-3
    )
    assert found["chosen_0shot_acc"] == 1.0
    assert found["chosen_0shot_acc_mutual_info"] == 1.0
