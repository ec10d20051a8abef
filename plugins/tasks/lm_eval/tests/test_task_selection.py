"""From what a run file says to tasks: names, globs, tags, groups, files, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings
from llmeval_lm_eval_tasks.task_source import LmEvalSource

from llmeval_core.hooks import ConfigError, TaskOptions, TaskSet


def load(folder: Path, tasks: str, *, n_shots: int | None = None, **more: Any) -> TaskSet:
    settings = LmEvalSettings(tasks=tasks, include_path=(folder,), include_defaults=False, **more)
    return LmEvalSource(settings).load(TaskOptions(n_shots=n_shots))


def names(loaded: TaskSet) -> list[str]:
    return [task.name for task in loaded.tasks]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("piqa", ["piqa"]),
        ("piqa, arc_easy", ["piqa", "arc_easy"]),
        ("arc_*", ["arc_challenge", "arc_easy"]),
        ("own_tag", ["own_choice", "own_golds", "own_repeats", "own_values"]),
        ("own_inner", ["own_choice", "arc_easy"]),
        ("own_inner,arc_*", ["own_choice", "arc_easy", "arc_challenge"]),
    ],
)
def test_names_globs_tags_and_groups(folder: Path, wanted: str, expected: list[str]) -> None:
    assert names(load(folder, wanted)) == expected


def test_a_file_is_a_task(folder: Path) -> None:
    assert names(load(folder, str(folder / "piqa.yaml"))) == ["piqa"]


def test_a_group_has_groups_of_its_own(folder: Path) -> None:
    loaded = load(folder, "own_group")

    assert {
        group.name: {name: metric.members for name, metric in group.metrics.items()}
        for group in loaded.groups
    } == {
        "own_inner": {"acc": ("own_choice", "arc_easy")},
        "own_group.deeper": {"acc": ("mmlu_abstract_algebra",)},
        "own_group": {
            "acc": ("own_choice", "arc_easy", "piqa", "sciq", "mmlu_abstract_algebra"),
            "acc_norm": ("own_choice", "arc_easy", "piqa", "sciq"),
        },
    }
    assert [task.n_shots for task in loaded.tasks if task.name == "sciq"] == [1]


def test_a_task_that_shows_no_examples_keeps_to_it(folder: Path) -> None:
    loaded = load(folder, "truthfulqa_mc1,piqa", n_shots=5)

    assert [task.n_shots for task in loaded.tasks] == [0, 5]


def test_definitions_and_keys_say_what_was_computed(folder: Path) -> None:
    (task,) = load(folder, "gsm8k").tasks

    assert {name: info.definition for name, info in task.metrics.items()} == {
        "exact_match.strict-match": "exact_match.strict-match@lm-eval-0.4.13+gsm8k-3.0",
        "exact_match.flexible-extract": "exact_match.flexible-extract@lm-eval-0.4.13+gsm8k-3.0",
    }


def test_planning_loads_nothing_of_lm_eval(folder: Path) -> None:
    import subprocess  # noqa: PLC0415  only here
    import sys  # noqa: PLC0415

    code = (
        "import sys; from llmeval_lm_eval_tasks.lm_eval_settings import LmEvalSettings\n"
        "from llmeval_lm_eval_tasks.task_source import LmEvalSource\n"
        "from llmeval_core.hooks import TaskOptions\n"
        f"s = LmEvalSettings(tasks='gsm8k', include_path=({str(folder)!r},),"
        " include_defaults=False)\n"
        "t = LmEvalSource(s).load(TaskOptions()).tasks[0]; t.fingerprint(); t.size()\n"
        "print(sorted({'lm_eval', 'datasets', 'numpy', 'pyarrow'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        ({}, True),
        ({"system_instruction": "Be brief."}, False),
        ({"fewshot_seed": 7}, False),
        ({"bootstrap_iters": 0}, False),
    ],
)
def test_the_fingerprint_tells_what_decides_the_numbers(
    folder: Path, changed: dict[str, Any], is_same: bool
) -> None:
    (task,), (other,) = load(folder, "piqa").tasks, load(folder, "piqa", **changed).tasks

    assert (task.fingerprint() == other.fingerprint()) is is_same


def test_the_fingerprint_tells_a_task_whose_yaml_or_code_changed(tmp_path: Path) -> None:
    path, code = tmp_path / "mine.yaml", tmp_path / "code.py"
    written = "task: mine\ndoc_to_text: !function code.ask\ndoc_to_target: b\n"
    found = []
    for yaml_text, code_text in (
        (written, "def ask(doc): return 1"),
        (written, "def ask(doc): return 2"),
        (written + "num_fewshot: 1\n", "def ask(doc): return 2"),
    ):
        path.write_text(yaml_text, encoding="utf-8")
        code.write_text(code_text, encoding="utf-8")
        found.append(load(tmp_path, "mine").tasks[0].fingerprint())

    assert len(set(found)) == 3


def refused(folder: Path, tasks: str, **more: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        load(folder, tasks, **more)
    return str(raised.value)


def test_an_unknown_name_is_refused(folder: Path) -> None:
    assert refused(folder, "arc_eazy") == (
        "lm-eval has no task, group or tag 'arc_eazy'\n"
        "  try:   did you mean 'arc_easy'? `llmeval tasks lm_eval --search TEXT` finds more"
    )


def test_a_task_that_is_wanted_in_two_ways_is_refused(folder: Path) -> None:
    assert refused(folder, "own_group,sciq") == (
        "lm-eval's task 'sciq' is asked for in two ways\n"
        "  try:   groups may set options of their tasks: make two entries of it, one with a"
        " `variant:`"
    )


def test_a_glob_that_nothing_fits_is_refused(folder: Path) -> None:
    assert "has no task, group or tag 'zz*'" in refused(folder, "zz*")


def test_a_task_that_runs_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("task: runs\nunsafe_code: true\n", encoding="utf-8")

    assert refused(tmp_path, "runs") == (
        "lm-eval's task 'runs' runs the code that the model writes, unguarded\n"
        "  try:   it needs a sandbox, which lm-eval's scorer does not use; take another task"
    )


def test_a_task_with_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("task: sees\ndoc_to_image: image\n", encoding="utf-8")

    assert refused(tmp_path, "sees") == (
        "lm-eval's task 'sees' has images, which are not supported"
    )


def test_a_conversation_cannot_be_weighed(folder: Path) -> None:
    assert refused(folder, "piqa", apply_chat_template=True) == (
        "lm-eval's task 'piqa' weighs texts, which no conversation can\n"
        "  try:   leave `apply_chat_template` out for this task, or take a task that generates"
    )


def test_a_file_without_a_task_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("dataset_path: x\n", encoding="utf-8")

    assert "declares no task" in refused(tmp_path, str(tmp_path / "a.yaml"))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "cannot read" in refused(tmp_path, str(tmp_path / "missing.yaml"))


def test_a_folder_of_tasks_that_is_not_there_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "nope"

    assert refused(folder, "piqa") == (
        f"there is no folder '{folder}'\n"
        "  where: include_path of lm_eval\n"
        "  try:   write the folder with your YAML files, from where llmeval is started"
    )
