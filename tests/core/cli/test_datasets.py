"""`llmeval datasets show` and `fetch`."""

from __future__ import annotations

import json
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
    yield Entry("packaged", Settings, lambda settings: Packaged(), "downloaded")
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
    yield Entry("noted", Settings, lambda settings: Noted(), "says how it is read")
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
        "answers are read as letters\nwarning: all alike\\x1b[2J\n\n── 0 · p0\n"
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
