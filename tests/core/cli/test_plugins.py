"""`llmeval plugins`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder


def described(llmeval: Llmeval, name: str) -> dict[str, Any]:
    """Find one plugin in the JSON; Any: JSON."""
    listed = json.loads(llmeval("plugins", "--json").stdout)
    [found] = [plugin for plugin in listed if plugin["name"] == name]
    assert found.pop("load_ms") >= 0
    return dict(found)


def test_a_working_plugin_is_listed_with_what_it_offers(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals", version="2.5")

    assert described(llmeval, "capitals") == {
        "name": "capitals",
        "distribution": "fake-capitals",
        "version": "2.5",
        "state": "loaded",
        "offers": {
            "checks": ["atlas"],
            "datasets": ["capitals"],
            "metrics": ["exact"],
            "models": ["atlas", "parrot"],
            "trackers": ["notebook"],
        },
        "reason": None,
    }


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        (
            "broken_import",
            None,
            "ModuleNotFoundError: No module named 'a_module_that_is_not_there'",
        ),
        (
            "misspelt_hook",
            None,
            "there is no hook 'llmeval_register_metric'; did you mean 'llmeval_register_metrics'?",
        ),
        ("leaving", "raise SystemExit('I leave')\n", "SystemExit: I leave"),
        (
            "async_hook",
            "from llmeval_core.hooks import hookimpl\n"
            "@hookimpl\n"
            "async def llmeval_register_metrics():\n"
            "    return []\n",
            "hook 'llmeval_register_metrics' is async; hooks are plain functions",
        ),
        (
            "wrong_thing",
            "from llmeval_core.hooks import hookimpl\n"
            "@hookimpl\n"
            "def llmeval_register_metrics():\n"
            "    return ['a metric']\n",
            "hook 'llmeval_register_metrics' gave a str, not a Component",
        ),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason(
    name: str, source: str | None, reason: str, llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install(name, source)

    finished = llmeval("plugins")

    label = f"fake-{name.replace('_', '-')} 1.0"
    assert f"{name} ({label}) is broken: {reason}\n" in finished.stdout
    assert described(llmeval, name)["reason"] == reason
    assert finished.exit_code == 0


def test_a_disabled_plugin_is_listed_and_not_loaded(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")

    finished = llmeval("-p", "no:capitals", "plugins", "--json")

    states = {plugin["name"]: plugin["state"] for plugin in json.loads(finished.stdout)}
    assert states["capitals"] == "disabled"


def test_strictness_does_not_hide_what_is_broken(
    llmeval: Llmeval, plugin_folder: PluginFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_folder.install("broken_import")
    monkeypatch.setenv("LLMEVAL_STRICT_PLUGINS", "1")

    finished = llmeval("plugins")

    assert "broken_import (fake-broken-import 1.0) is broken: " in finished.stdout
    assert finished.exit_code == 0


def test_many_names_are_counted(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install(
        "many",
        "from llmeval_core.hooks import Component, Settings, hookimpl\n"
        "@hookimpl\n"
        "def llmeval_register_metrics():\n"
        "    for name in 'abcdef':\n"
        "        yield Component(name, Settings, print, name)\n",
    )

    assert "metrics: a, b, c, d and 2 more" in llmeval("plugins").stdout
