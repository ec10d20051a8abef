"""What the command line says when a plugin is broken, in conflict or careless."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

RUN = ("run", "-m", "atlas/any", "-d", "capitals")


def test_a_name_that_a_broken_plugin_may_have_is_told_with_the_reasons(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("broken_import")
    plugin_folder.install("misspelt_hook")

    finished = llmeval("run", "-m", "atlas/any", "-d", "rivers")

    assert finished.stderr == (
        "error: unknown data set 'rivers'\n"
        "  where: -d rivers\n"
        "  try:   `llmeval datasets` lists all\n"
        "         or mend the broken plugin broken_import (fake-broken-import 1.0):"
        " ModuleNotFoundError: No module named 'a_module_that_is_not_there'\n"
        "         or mend the broken plugin misspelt_hook (fake-misspelt-hook 1.0): there is no"
        " hook 'llmeval_register_metric'; did you mean 'llmeval_register_metrics'?\n"
    )
    assert finished.exit_code == 2


def test_a_name_that_two_plugins_offer_is_told_with_both(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("duplicate_name")

    finished = llmeval(*RUN)

    assert finished.stderr == (
        "error: two plugins offer the data set 'capitals': fake-capitals 1.0 and"
        " fake-duplicate-name 1.0\n"
        "  where: -d capitals\n"
        "  try:   disable one with `-p no:NAME` or `-p no:DISTRIBUTION:NAME`;"
        " `llmeval plugins` lists both\n"
    )
    assert finished.exit_code == 2


def test_a_broken_plugin_is_an_error_if_strictness_is_asked_for(
    llmeval: Llmeval, plugin_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("broken_import")
    monkeypatch.setenv("LLMEVAL_STRICT_PLUGINS", "1")

    finished = llmeval(*RUN)

    assert finished.stderr == (
        "error: plugin 'broken_import' is broken: ModuleNotFoundError: No module named"
        " 'a_module_that_is_not_there'\n"
        "  where: fake-broken-import 1.0\n"
        "  try:   `llmeval plugins` lists all; unset LLMEVAL_STRICT_PLUGINS to go on without it\n"
    )
    assert finished.exit_code == 2


def test_a_value_from_the_environment_is_not_in_a_factorys_error(
    llmeval: Llmeval, plugin_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_folder.install(
        "leaky",
        "from llmeval_core.hooks import Component, ConfigError, Settings, hookimpl\n"
        "class Address(Settings):\n"
        "    url: str\n"
        "def make(settings):\n"
        "    raise ConfigError(f'no tracker at {settings.url}')\n"
        "@hookimpl\n"
        "def llmeval_register_trackers():\n"
        "    yield Component('leaky', Address, make, 'tells everything')\n",
    )
    plugin_folder.install("capitals")
    monkeypatch.setenv("LEAKY_URL", "http://me:pa55word@host")
    Path("eval.yaml").write_text(
        "models: [atlas/any]\ntasks: [{dataset: capitals}]\n"
        "trackers: [{use: leaky, url: '${LEAKY_URL}'}]\n",
        encoding="utf-8",
    )

    finished = llmeval("run", "eval.yaml")

    assert finished.stderr == "error: no tracker at ***\n  where: eval.yaml:3, trackers[0]\n"


READER = """
from llmeval_core.hooks import Component, Settings, hookimpl
class Rows(Settings):
    path: str
@hookimpl
def llmeval_register_datasets():
    yield Component("rows", Rows, None.__class__, "rows", argument="path", suffixes=(".rows",))
"""


def test_a_plugin_that_is_disabled_is_named_where_it_may_bring_what_is_missing(
    llmeval: Llmeval, plugin_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_folder.install("capitals")
    monkeypatch.setenv("LLMEVAL_DISABLE_PLUGINS", "capitals")

    finished = llmeval("run", "-m", "atlas/any", "-d", "jsonl:faq.jsonl")

    assert finished.stderr == (
        "error: unknown model provider 'atlas'\n"
        "  where: -m atlas/any\n"
        "  try:   `llmeval models` lists all\n"
        "         or allow the plugin 'capitals', which may bring it and is disabled"
        " (-p no:NAME, LLMEVAL_DISABLE_PLUGINS)\n"
    )


def test_a_file_that_only_a_disabled_plugin_may_read_says_so(
    llmeval: Llmeval, plugin_folder: PluginFolder, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMEVAL_DISABLE_PLUGINS", "datasets")
    (work / "faq.jsonl").write_text("{}\n", encoding="utf-8")

    finished = llmeval("run", "-m", "echo/any", "-d", "faq.jsonl")

    assert "  try:   allow the plugin 'datasets', which may bring it and is disabled" in (
        finished.stderr
    )


def test_a_name_that_disables_nothing_is_a_warning(
    llmeval: Llmeval, plugin_folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    plugin_folder.install("capitals")

    meant = llmeval("-p", "no:capitols", "metrics")
    odd = llmeval("-p", "no:x:y", "metrics")

    assert caplog.messages == [
        "there is no plugin 'capitols' to be disabled; did you mean 'capitals'?",
        "there is no plugin 'x:y' to be disabled; `llmeval plugins` lists them",
    ]
    assert (meant.exit_code, odd.exit_code) == (0, 0)


def test_a_plugin_to_be_disabled_needs_a_name(llmeval: Llmeval) -> None:
    finished = llmeval("-p", "no:", "metrics")

    assert finished.stderr.endswith("Error: -p takes no:NAME, not 'no:'\n")
    assert finished.exit_code == 2


def test_an_unknown_executor_is_told_with_those_that_there_are(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")

    finished = llmeval(*RUN, "--executor", "nope")

    assert finished.stderr == (
        "error: unknown executor 'nope'\n"
        "  where: --executor nope\n"
        "  try:   no executor is installed; leave it out\n"
    )


def test_a_file_in_a_run_file_is_told_with_the_data_set_that_reads_it(
    llmeval: Llmeval, plugin_folder: PluginFolder, work: Path
) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("reader", READER)
    (work / "eval.yaml").write_text("models: [atlas/any]\ntasks: [{dataset: my.rows}]\n")

    finished = llmeval("run", "eval.yaml")

    assert finished.stderr == (
        "error: unknown data set 'my.rows'\n"
        "  where: eval.yaml:2, tasks[0].dataset\n"
        "  try:   write rows:my.rows for that file; `llmeval datasets` lists all\n"
    )


def test_a_file_with_samples_in_place_of_a_run_file_is_told_with_its_flag(
    llmeval: Llmeval, plugin_folder: PluginFolder, work: Path
) -> None:
    plugin_folder.install("reader", READER)
    (work / "my data.rows").write_text("input,output\na,b\n", encoding="utf-8")

    finished = llmeval("run", "-m", "atlas/any", "my data.rows")

    assert finished.stderr == (
        "error: a run file is a mapping with 'models' and 'tasks'\n"
        "  where: my data.rows\n"
        "  try:   a data set is named with -d: -d 'my data.rows'\n"
    )
