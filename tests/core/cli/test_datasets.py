"""`llmeval datasets show` and `fetch`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

FETCHABLE = """\
from pathlib import Path
from llmeval_core.hooks import *
class Packaged:
    name = "packaged"
    defaults = TaskDefaults(prompt=PromptConfig(mode="chat", template="{{ metadata.hint }}"))
    def samples(self):
        yield Sample("p0", "Two and two?", choices=("3", "4"), answer=1)
    few_shot_pool = samples
    def size(self):
        return 1
    def fingerprint(self):
        return "packaged"
    def fetch(self):
        return Path("/cache/packaged.whl")
@hookimpl
def llmeval_register_datasets():
    yield Component("packaged", Settings, lambda settings: Packaged(), "downloaded")
"""


NOTED = """\
from llmeval_core.hooks import *
class Noted:
    name = "noted"
    defaults = TaskDefaults()
    def samples(self):
        yield Sample("p0", "Two and two?", ("4",))
    few_shot_pool = samples
    def size(self):
        return 1
    def fingerprint(self):
        return "noted"
    def notes(self):
        return ("answers are read as letters", "warning: all alike\\x1b[2J")
@hookimpl
def llmeval_register_datasets():
    yield Component("noted", Settings, lambda settings: Noted(), "says how it is read")
"""


@pytest.fixture(autouse=True)
def capitals(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("packaged", FETCHABLE)


def test_prompts_are_shown_as_a_text_to_continue(llmeval: Llmeval) -> None:
    finished = llmeval("datasets", "show", "capitals", "--limit", "2")

    assert finished.stdout == (
        "── 0 · c0 · Europe\n"
        "asked     Capital of France?\n"
        "expected  Paris\n"
        "\n"
        "── 1 · c1 · Asia\n"
        "asked     Capital of Japan?\n"
        "expected  Tokyo\n"
        "\n"
    )
    assert finished.exit_code == 0


def test_what_a_data_set_found_out_of_its_rows_is_shown_first(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("noted", NOTED)

    finished = llmeval("datasets", "show", "noted")
    as_json = llmeval("datasets", "show", "noted", "--json")

    assert finished.stdout.startswith(
        "answers are read as letters\nwarning: all alike\\x1b[2J\n── 0 · p0\n"
    )
    assert "answers are read" not in as_json.stdout
    assert "answers are read as letters\n" in as_json.stderr


def test_prompts_have_examples_when_asked_for(llmeval: Llmeval) -> None:
    finished = llmeval("datasets", "show", "capitals:2", "--shots", "1", "--json")

    first = json.loads(finished.stdout.splitlines()[0])
    assert first["asked"]["prompt"] == "Capital of Japan? Tokyo\n\nCapital of France?"
    assert first["expected"]["references"] == ["Paris"]


def test_prompts_are_exactly_those_of_a_run_with_the_model(llmeval: Llmeval) -> None:
    shown = llmeval("datasets", "show", "capitals", "-m", "atlas/any", "--shots", "1", "--json")
    llmeval("run", "-m", "atlas/any", "-d", "capitals", "--shots", "1", "--quiet")

    sent = llmeval("samples", "capitals_1shot", "--json")

    assert [json.loads(line)["asked"] for line in shown.stdout.splitlines()] == [
        json.loads(line)["asked"] for line in sent.stdout.splitlines()[:3]
    ]


def test_a_sample_that_the_template_fails_on_is_shown_with_the_reason(llmeval: Llmeval) -> None:
    finished = llmeval("datasets", "show", "packaged")

    assert finished.stdout == (
        "── 0 · p0\n"
        "input     Two and two?\n"
        "problem   prompt.template: 'dict object' has no attribute 'hint'\n"
        "expected  B. 4\n"
        "\n"
    )


def test_a_model_that_only_chats_is_shown_lettered_choices(llmeval: Llmeval) -> None:
    finished = llmeval("datasets", "show", "packaged", "-m", "atlas/any")

    assert "asked     [user] Two and two?\n          A. 3\n          B. 4\n" in finished.stdout


def test_an_unknown_model_is_told(llmeval: Llmeval) -> None:
    finished = llmeval("datasets", "show", "capitals", "-m", "atlass/any")

    assert finished.stderr == (
        "error: unknown model provider 'atlass'\n"
        "  where: -m atlass/any\n"
        "  try:   did you mean 'atlas'? `llmeval models` lists all\n"
    )


def test_a_model_without_a_provider_is_told(llmeval: Llmeval) -> None:
    finished = llmeval("datasets", "show", "capitals", "-m", "atlas")

    assert finished.stderr == (
        "error: wrong value: 'atlas' is not of the form provider/model\n  where: -m atlas\n"
        "  try:   name the provider too, as in 'openai/gpt-4o-mini'; `llmeval models` lists them\n"
    )


def test_fetch_prints_where_the_file_is(llmeval: Llmeval) -> None:
    assert llmeval("datasets", "fetch", "packaged").stdout == "packaged: /cache/packaged.whl\n"
    assert json.loads(llmeval("datasets", "fetch", "packaged", "--json").stdout) == {
        "packaged": "/cache/packaged.whl"
    }


def test_a_data_set_that_is_not_downloaded_cannot_be_fetched(llmeval: Llmeval) -> None:
    finished = llmeval("datasets", "fetch", "capitals")

    assert finished.stderr == (
        "error: data set 'capitals' has nothing to fetch\n"
        "  try:   only packaged sets are downloaded\n"
    )
    assert finished.exit_code == 2


@pytest.mark.parametrize("args", [("show", "capitols"), ("fetch", "capitols")])
def test_an_unknown_data_set_is_told(args: tuple[str, ...], llmeval: Llmeval) -> None:
    finished = llmeval("datasets", *args)

    assert finished.stderr == (
        "error: unknown data set 'capitols'\n"
        "  where: data set capitols\n"
        "  try:   did you mean 'capitals'? `llmeval datasets` lists all\n"
    )


RUN_FILE = """\
models: [atlas/any, parrot/any]
tasks:
  - dataset: capitals
    shots: [0, 1]
    prompt: {template: "Q: {{ input }}"}
    generation: {max_tokens: 7}
  - {dataset: packaged, metrics: [exact]}
"""


def test_the_requests_of_a_run_files_task_are_shown(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE)

    finished = llmeval(
        *("datasets", "show", "eval.yaml", "capitals_0shot", "--limit", "1", "-m", "atlas/any")
    )

    assert finished.stdout == (
        "atlas/any  capitals_0shot\n"
        "chat, generation: max_tokens 7, temperature 0.0, n 1\n"
        "── 0 · c0 · Europe\n"
        "asked     [user] Q: Capital of France?\n"
        "expected  Paris\n"
        "\n"
    )


def test_all_tasks_of_a_run_file_are_shown_as_json(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE)

    finished = llmeval("datasets", "show", "eval.yaml", "--limit", "1", "--json")

    shown = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [(one["model"], one["task"]) for one in shown] == [
        (model, task)
        for model in ("atlas/any", "parrot/any")
        for task in ("capitals_0shot", "capitals_1shot", "packaged_0shot")
    ]


def test_a_task_that_the_run_file_does_not_have_is_told(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE)

    finished = llmeval("datasets", "show", "eval.yaml", "capitols_0shot")

    assert finished.stderr == (
        "error: the run has no task 'capitols_0shot'\n  try:   did you mean 'capitals_0shot'?\n"
    )
    assert finished.exit_code == 2


def test_a_task_of_no_run_file_is_told(llmeval: Llmeval) -> None:
    assert llmeval("datasets", "show", "capitals", "capitals_0shot").stderr == (
        "error: 'capitals_0shot' names a task, and 'capitals' is no run file\n"
        "  try:   write `llmeval datasets show eval.yaml TASK`\n"
    )


def test_a_plan_shows_the_requests_and_what_looks_wrong(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(RUN_FILE.replace("Q: {{ input }}", "Which capital?"))

    finished = llmeval("plan", "eval.yaml", "--prompts", "1", "-m", "atlas/any", "-d", "capitals")
    of_file = llmeval("plan", "eval.yaml", "--prompts", "1", "-m", "atlas/any", "--shots", "0")

    assert "asked     [user] Capital of France?\n" in finished.stdout
    assert "asked     [user] Which capital?\n" in of_file.stdout
    assert (
        "warning: capitals_0shot: 4 samples make only 1 different request:"
        " does the prompt show what tells them apart?\n"
    ) in of_file.stderr
