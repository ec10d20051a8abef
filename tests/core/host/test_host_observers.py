"""Observers are told what happens, and cannot change it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest

from llmeval_core.hooks import RunSummary
from llmeval_core.host import load_plugins
from llmeval_core.testing import make_task_result

if TYPE_CHECKING:
    from tests.conftest import PluginFolder

HEAD = "from llmeval_core.hooks import *\nfrom llmeval_core.hooks import hookimpl\n"
SUMMARY = RunSummary(
    results=(),
    n_samples=0,
    n_failed=0,
    n_requests=0,
    n_unfinished=0,
    n_undelivered=0,
    interrupted=False,
    elapsed_s=1.0,
)


def test_a_plugin_that_breaks_halfway_observes_nothing(plugin_folder: PluginFolder) -> None:
    plugin_folder.install(
        "half",
        HEAD + "seen = []\n"
        "@hookimpl\ndef llmeval_after_task(result):\n    seen.append(result)\n"
        "@hookimpl\ndef llmeval_register_metrics():\n    raise ValueError('no')\n",
    )

    load_plugins().after_task(make_task_result())

    assert sys.modules["half"].seen == []


def test_observers_are_told_what_they_ask_for(plugin_folder: PluginFolder) -> None:
    plugin_folder.install(
        "watching",
        HEAD + "seen = []\n"
        "@hookimpl\ndef llmeval_before_run(plan):\n    seen.append(plan['fingerprint'])\n"
        "@hookimpl\ndef llmeval_after_task(result):\n    seen.append(result.task)\n"
        "@hookimpl\ndef llmeval_after_run():\n    seen.append('over')\n",
    )
    host = load_plugins()

    host.before_run({"fingerprint": "f"})
    host.after_task(make_task_result())
    host.after_run(SUMMARY)

    assert sys.modules["watching"].seen == ["f", "capitals_0shot", "over"]


@pytest.mark.parametrize("error", ["ValueError('no')", "SystemExit('no')", "GeneratorExit('no')"])
def test_an_observer_that_breaks_is_logged_and_stops_no_other(
    error: str, plugin_folder: PluginFolder, caplog: pytest.LogCaptureFixture
) -> None:
    plugin_folder.install(
        "clumsy", HEAD + f"@hookimpl\ndef llmeval_after_run(summary):\n    raise {error}\n"
    )
    for name in ("after", "zebra"):
        plugin_folder.install(
            name,
            HEAD + "seen = []\n"
            "@hookimpl\ndef llmeval_after_run(summary):\n    seen.append(summary)\n",
        )
    host = load_plugins()

    with caplog.at_level(logging.WARNING, logger="llmeval"):
        host.after_run(SUMMARY)

    kind = error.partition("(")[0]
    assert caplog.messages == [
        f"plugin 'fake-clumsy:clumsy' failed in llmeval_after_run: {kind}: no"
    ]
    assert sys.modules["after"].seen == sys.modules["zebra"].seen == [SUMMARY]
