"""Tasks of one's own in lm-eval's YAML, for what the compared tasks do not use."""

from __future__ import annotations

import json
import random
from pathlib import Path

from plugins.tasks.lm_eval.tests.parity.row_texts import GOLD, text, texts

MODULE = '''
import json
import math
from pathlib import Path
import numpy as np
from datasets import Dataset, DatasetDict
from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask

def load(**_):
    rows = json.loads((Path(__file__).parent / "own.json").read_text())
    return DatasetDict({split: Dataset.from_list(listed) for split, listed in rows.items()})

def odd_values(doc, results):
    """Values of every type, and one that some documents lack."""
    ((likely, greedy),) = results
    place = {"paragraph": doc["label"], "question": len(doc["question"]) % 5}
    found = {
        "median_of": int(-likely * 7) % 5,
        "nan_mean": float("nan") if doc["label"] else np.float64(-likely / 3),
        "pairs": (likely, doc["answers"], {"label": doc["label"], 3: None}),
        "whole": doc,
        "array": np.array([likely, 1.5], dtype=np.float32),
        "truth": np.bool_(greedy),
        "acc_all": (doc["label"], {"idx": place, "label": 1}),
    }
    if not doc["label"]:
        found["some"] = likely
    return found

def sum_pairs(items):
    assert all(type(item) is tuple and set(item[2]) == {"label", 3} for item in items)
    return math.fsum(likely + len(answers[0]) for likely, answers, _ in items)

def longest(items):
    return max(len(item["question"]) for item in items)

def array_sum(items):
    assert all(item.dtype == np.float32 for item in items)
    return float(np.sum(items))

def shout(resps, docs):
    return [[text.upper() + "?" * doc["label"] for text in some] for some, doc in zip(resps, docs)]

class Mixed(ConfigurableTask):
    VERSION = 2

    def __init__(self, config=None):
        super().__init__(config={"task": "own_mixed", "metadata": {"version": 2}})
    def download(self, *_, **__):
        self.dataset = load()
    def has_training_docs(self):
        return True
    def has_validation_docs(self):
        return False
    def has_test_docs(self):
        return True
    def training_docs(self):
        return self.dataset["train"]
    def test_docs(self):
        return self.dataset["test"]
    def fewshot_docs(self):
        return self.dataset["train"]
    def doc_to_text(self, doc, doc_to_text=None):
        return doc["question"]
    def doc_to_target(self, doc, doc_to_target=None):
        return " " + doc["answers"][0]
    def construct_requests(self, doc, ctx, chat_template=None, apply_chat_template=None, **kwargs):
        return [
            Instance("generate_until", doc, (ctx, {"until": [","]}), 0, **kwargs),
            Instance("loglikelihood", doc, (ctx, " unanswerable"), 1, **kwargs),
        ]
    def process_results(self, doc, results):
        written, (likely, _) = results
        return {"hit": written in doc["answers"], "doubt": math.exp(likely)}
    def aggregation(self):
        return {"hit": np.mean, "doubt": max}
    def higher_is_better(self):
        return {"hit": True, "doubt": False}
'''

_DATA = """
custom_dataset: !function own_functions.load
training_split: train
test_split: test
"""

YAML = {
    "own_repeats": """
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answers[0]}}"
repeats: 3
generation_kwargs: {until: ["\\n"], do_sample: true, temperature: 0.7, max_gen_toks: 32}
filter_list:
  - name: maj@3
    filter: [{function: lowercase}, {function: majority_vote}, {function: take_first}]
  - name: maj@2
    filter: [{function: take_first_k, k: 2}, {function: majority_vote}, {function: take_first}]
  - {name: first, filter: [{function: take_first}]}
metric_list: [{metric: exact_match, ignore_case: true}, {metric: chrf}, {metric: "chrf++"}]
metadata: {version: 1.5}
""",
    "own_choice": """
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_target: label
doc_to_choice: "{{choices}}"
num_fewshot: 2
fewshot_config: {split: test, sampler: default}
metric_list:
  - {metric: acc}
  - {metric: acc_norm}
  - {metric: acc_bytes}
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
  - {metric: acc_mutual_info}
  - {metric: brier_score}
  - {metric: f1}
  - {metric: mcc}
""",
    "own_golds": """
output_type: generate_until
description: "About {{question.split()[0]}}:"
doc_to_text: "{{question}}"
doc_to_target: "{{answers}}"
gen_prefix: "Well,"
fewshot_delimiter: "\\n--\\n"
num_fewshot: 2
fewshot_config:
  {split: train, sampler: first_n, doc_to_text: "Once: {{question}}", gen_prefix: "Yes,"}
filter_list:
  - {name: loud, filter: [{function: custom, filter_fn: !function own_functions.shout},
                          {function: take_first}]}
  - {name: none, filter: [{function: remove_whitespace}, {function: take_first}]}
metric_list:
  - {metric: exact_match, aggregation: mean, ignore_punctuation: true, ignore_case: true}
""",
    "own_values": """
output_type: loglikelihood
doc_to_text: "{{question}}"
doc_to_target: " {{answers[0]}}"
process_results: !function own_functions.odd_values
metric_list:
  - {metric: median_of, aggregation: median, higher_is_better: true}
  - {metric: nan_mean, aggregation: nanmean, higher_is_better: true}
  - {metric: pairs, aggregation: !function own_functions.sum_pairs, higher_is_better: false}
  - {metric: whole, aggregation: !function own_functions.longest, higher_is_better: true}
  - {metric: array, aggregation: !function own_functions.array_sum, higher_is_better: true}
  - {metric: truth, aggregation: mean, higher_is_better: true}
  - {metric: acc_all, aggregation: !function lm_eval.api.metrics.acc_all, higher_is_better: true}
  - {metric: some, aggregation: mean, higher_is_better: true}
""",
}

_CLASS = "task: own_mixed\nclass: !function own_functions.Mixed\n"

_GROUPS = {
    "own_inner": """
group: own_inner
task: [own_choice, arc_easy]
aggregate_metric_list:
  - {metric: acc, weight_by_size: false}
metadata: {version: 3}
""",
    "own_group": """
group: own_group
group_alias: Mine
task:
  - own_inner
  - piqa
  - {task: sciq, num_fewshot: 1}
  - group: deeper
    task: [mmlu_abstract_algebra]
    aggregate_metric_list: {metric: acc, filter_list: none}
aggregate_metric_list:
  - {metric: acc, aggregation: mean, weight_by_size: true}
  - {metric: acc_norm, aggregation: mean, weight_by_size: true, filter_list: [none]}
""",
    "own_writing": """
group: own_writing
task: [gsm8k, gsm8k_cot]
aggregate_metric_list:
  - {metric: exact_match, filter_list: [strict-match, flexible-extract]}
""",
}


def make_own_tasks(folder: Path) -> None:
    """Write the tasks, their functions and their rows."""
    r = random.Random("own")
    rows = {
        split: [
            {
                "question": text(r),
                "choices": texts(r, 2),
                "label": r.randrange(2),
                "answers": r.sample(GOLD, 2),
            }
            for _ in range(n)
        ]
        for split, n in (("train", 8), ("test", 11))
    }
    (folder / "own.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "own_functions.py").write_text(MODULE, encoding="utf-8")
    for name, config in YAML.items():
        written = f"task: {name}\ntag: own_tag\n{_DATA}{config}"
        (folder / f"{name}.yaml").write_text(written, encoding="utf-8")
    (folder / "own_mixed.yaml").write_text(_CLASS, encoding="utf-8")
    for name, config in _GROUPS.items():
        (folder / f"{name}.yaml").write_text(config, encoding="utf-8")
