"""What can go wrong in others' code, and what must not be touched by it."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llmeval_lm_eval_tasks.lm_eval_library import compile_templates_once
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.task_source import LmEvalSource

from llmeval_core.hooks import (
    Generation,
    Item,
    LlmevalError,
    Loglikelihood,
    Question,
    Task,
    TaskOptions,
)
from llmeval_core.testing import RecordingAsk, check_plugin, check_task, trial_answer
from plugins.tasks.lm_eval.tests.parity.own_tasks import YAML
from plugins.tasks.lm_eval.tests.parity.spec_table import SPECS

pytestmark = pytest.mark.filterwarnings("ignore")  # of lm-eval and what it is built on

_ROWS = """
custom_dataset: !function code.load
dataset_path: mine
test_split: test
doc_to_text: "{{q}}"
doc_to_target: "{{a}}"
"""
_CODE = """
from datasets import Dataset, DatasetDict
import random
import numpy as np
def load(**_):
    rows = [{"q": f"q{at}", "a": "yes"} for at in range(6)]
    return DatasetDict({"test": Dataset.from_list(rows)})
"""


def task_of(folder: Path, name: str, *, n_shots: int | None = None, **more: Any) -> Task:
    settings = LmEvalSettings(tasks=name, include_path=(folder,), include_defaults=False, **more)
    (task,) = LmEvalSource(settings).load(TaskOptions(n_shots=n_shots)).tasks
    return task


@pytest.fixture
def mine(tmp_path: Path, library: None) -> Any:
    """Give what writes a task of one's own."""

    def write(yaml_text: str, code: str = "") -> Task:
        (tmp_path / "mine.yaml").write_text(f"task: mine{_ROWS}{yaml_text}", encoding="utf-8")
        (tmp_path / "code.py").write_text(_CODE + code, encoding="utf-8")
        return task_of(tmp_path, "mine", bootstrap_iters=10)

    return write


def knows_greedy(question: Question, role: str) -> Generation:
    """Answer as the kit does, and tell what is greedy."""
    found = trial_answer(question, role)
    told = tuple(replace(one, is_greedy=True) for one in found.loglikelihoods)
    return replace(found, loglikelihoods=told)


def prompts(task: Task) -> list[str]:
    return [item.questions[0].prompt for item in task.items()]


@pytest.mark.parametrize("name", [*YAML, "own_mixed", "gsm8k", "hellaswag", "winogrande"])
async def test_tasks_keep_the_promises_of_the_contract(
    name: str, folder: Path, library: None
) -> None:
    await check_task(task_of(folder, name, bootstrap_iters=10), answer=knows_greedy, most=3)


def test_the_plugin_is_well_formed() -> None:
    check_plugin("lm_eval_tasks")


def test_the_same_items_come_again_and_side_by_side(folder: Path, library: None) -> None:
    task = task_of(folder, "piqa", n_shots=4)
    whole = prompts(task)

    one, two = iter(task.items()), iter(task.items())
    mixed = [(next(one).questions[0].prompt, next(two).questions[0].prompt) for _ in whole]

    assert mixed == list(zip(whole, whole, strict=True))
    assert len(set(whole)) == len(whole)


def test_templates_are_compiled_once_and_say_the_same(folder: Path, library: None) -> None:
    from lm_eval import utils  # noqa: PLC0415  takes seconds

    fast = utils.apply_template
    digests = []
    try:
        for keeps in (True, False):
            if keeps:
                compile_templates_once(utils)
            else:
                utils.apply_template = lambda text, doc: utils.env.from_string(text).render(**doc)
            made = [
                repr([(item.sample, item.questions) for item in task_of(folder, spec.task).items()])
                for spec in SPECS[:12]
            ]
            digests.append(hashlib.sha256("".join(made).encode()).hexdigest())
    finally:
        utils.apply_template = fast

    assert digests[0] == digests[1]
    assert utils.apply_template.keeps_compiled


def test_random_numbers_of_the_process_stay_as_they_are(mine: Any) -> None:
    task = mine(
        "process_docs: !function code.shuffled\n",
        "random.seed(3)\nnp.random.seed(4)\n"
        "def shuffled(docs):\n"
        "    order = list(range(len(docs))); random.shuffle(order); np.random.random()\n"
        "    return docs.select(order)\n",
    )
    random.seed(11)
    np.random.seed(12)
    before, numpy_before = random.getstate(), repr(np.random.get_state())

    found = [prompts(task), prompts(task)]

    assert random.getstate() == before
    assert repr(np.random.get_state()) == numpy_before
    assert found[0] == found[1]
    assert found[0] != sorted(found[0])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "raise SystemExit(1)",
            "lm-eval's task 'mine' cannot be loaded: its code ends the process\n"
            "  try:   run it with lm-eval itself",
        ),
        (
            "import no_such_package",
            "lm-eval's task 'mine' cannot be loaded: No module named 'no_such_package'\n"
            "  try:   pip install no_such_package",
        ),
        (
            "import langdetectt; raise ValueError",
            "lm-eval's task 'mine' cannot be loaded: No module named 'langdetectt'\n"
            "  try:   pip install langdetectt",
        ),
        (
            "1 / 0",
            "lm-eval's task 'mine' cannot be loaded: ZeroDivisionError: division by zero\n"
            "  try:   look at the task's YAML file and the README of its family",
        ),
    ],
)
def test_code_that_cannot_be_imported_is_told(mine: Any, code: str, message: str) -> None:
    task = mine("process_results: !function code.judge\nmetric_list: [{metric: acc}]\n", code)

    with pytest.raises(LlmevalError) as raised:
        list(task.items())

    assert str(raised.value) == message


def score(task: Task, item: Item, *answers: Generation) -> Any:
    def refuse(question: Question, role: str) -> Generation:
        raise AssertionError("scoring asks nothing")

    return task.score(item, answers, RecordingAsk({}, refuse))


def test_greediness_that_is_unknown_is_no_number(folder: Path, library: None) -> None:
    weighed = Generation(loglikelihoods=(Loglikelihood(-1.0), Loglikelihood(-2.0)))
    needs, needs_not = task_of(folder, "lambada_openai"), task_of(folder, "piqa")
    item, other = next(iter(needs.items())), next(iter(needs_not.items()))

    with pytest.raises(ValueError, match="does not tell whether an answer is the greedy one"):
        score(needs, item, weighed)

    assert score(needs_not, other, weighed)["acc"].value in (0.0, 1.0)


def test_an_answer_ends_where_the_run_file_says(folder: Path, library: None) -> None:
    settings = LmEvalSettings(tasks="triviaqa", include_path=(folder,), include_defaults=False)
    options = TaskOptions(generation={"stop": ["|"], "max_tokens": 9})
    (task,) = LmEvalSource(settings).load(options).tasks
    item = next(iter(task.items()))

    found = score(task, item, Generation(("one, two.|three",)))

    (asked,) = item.questions
    assert asked.settings is not None
    assert (asked.settings.stop, asked.settings.max_tokens) == (("|",), 9)
    assert found["exact_match.remove_whitespace"].parsed == "one, two."


def test_a_metric_that_breaks_makes_one_sample_unscorable(mine: Any) -> None:
    task = mine(
        "process_results: !function code.judge\nmetric_list: [{metric: acc}]\n",
        "def judge(doc, results):\n    return {'acc': {}['missing']}\n",
    )
    item = next(iter(task.items()))

    with pytest.raises(ValueError, match="lm-eval cannot score it: KeyError: 'missing'"):
        score(task, item, Generation(("yes",)))


def test_a_metric_that_is_returned_but_not_declared_counts(mine: Any) -> None:
    task = mine(
        "process_results: !function code.judge\n"
        "metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]\n",
        "def judge(doc, results):\n    return {'acc': 1, 'length': len(results[0])}\n",
    )
    item = next(iter(task.items()))

    found = score(task, item, Generation(("yes",)))

    assert {name: one.value for name, one in found.items()} == {"acc": 1.0, "length": 3.0}
    assert task.metrics["length"].aggregate([found["length"]]).value == 3.0
