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
