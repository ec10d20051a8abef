"""`llmeval sync`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

CLOSED = Path(".llmeval/notebook.closed")
RUN_FILE = """\
models: [atlas/any]
tasks: [{dataset: capitals}]
limit: 3
trackers:
  - notebook
  - {use: notebook, name: secret, path: secret.jsonl, login: "${NOTEBOOK_LOGIN}"}
"""


@pytest.fixture(autouse=True)
def closed_notebooks(
    plugin_folder: PluginFolder, llmeval: Llmeval, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave one result that neither of two notebooks has."""
    plugin_folder.install("capitals")
    monkeypatch.setenv("NOTEBOOK_LOGIN", "open sesame")
    CLOSED.parent.mkdir()
    CLOSED.touch()
    CLOSED.with_name("secret.closed").touch()
    Path("eval.yaml").write_text(RUN_FILE, encoding="utf-8")
    assert llmeval("run", "eval.yaml").exit_code == 1


def reopen() -> None:
    CLOSED.unlink()
    CLOSED.with_name("secret.closed").unlink()


def test_sync_delivers_what_every_tracker_lacks(llmeval: Llmeval) -> None:
    reopen()

    finished = llmeval("sync")

    assert finished.stdout == (
        "notebook: 1 delivered (.llmeval/notebook.jsonl)\n"
        "secret: 1 delivered (.llmeval/secret.jsonl)\n"
    )
    assert finished.exit_code == 0


def test_a_second_sync_has_nothing_to_do(llmeval: Llmeval) -> None:
    reopen()
    llmeval("sync")

    finished = llmeval("sync")

    assert finished.stdout == "notebook: lacks nothing\nsecret: lacks nothing\n"
    assert len(CLOSED.with_suffix(".jsonl").read_text().splitlines()) == 1


def test_a_tracker_that_is_still_down_is_told_and_exits_1(llmeval: Llmeval) -> None:
    CLOSED.unlink()

    finished = llmeval("sync")

    assert finished.stdout == (
        "notebook: 1 delivered (.llmeval/notebook.jsonl)\n"
        "secret: 0 delivered, 1 still wait: the notebook is closed (try: open it)\n"
    )
    assert finished.exit_code == 1


def test_an_unset_variable_stops_only_the_tracker_that_needs_it(
    llmeval: Llmeval, monkeypatch: pytest.MonkeyPatch
) -> None:
    reopen()
    monkeypatch.delenv("NOTEBOOK_LOGIN")

    finished = llmeval("sync", "--json")

    assert json.loads(finished.stdout) == [
        {
            "name": "notebook",
            "delivered": 1,
            "undelivered": 0,
            "reason": None,
            "location": ".llmeval/notebook.jsonl",
        },
        {
            "name": "secret",
            "delivered": 0,
            "undelivered": 1,
            "reason": "environment variable NOTEBOOK_LOGIN is not set"
            " (try: export NOTEBOOK_LOGIN=... before the command)",
            "location": None,
        },
    ]
    assert finished.exit_code == 1


def test_a_tracker_whose_plugin_is_gone_is_told(llmeval: Llmeval) -> None:
    reopen()

    finished = llmeval("-p", "no:capitals", "sync")

    reason = "1 still wait: unknown tracker 'notebook' (try: `llmeval trackers` lists all)"
    assert finished.stdout == f"notebook: 0 delivered, {reason}\nsecret: 0 delivered, {reason}\n"
    assert finished.exit_code == 1


def test_a_secret_that_stood_in_the_run_file_is_not_guessed(llmeval: Llmeval) -> None:
    Path("eval.yaml").write_text(
        "models: [atlas/any]\n"
        "tasks: [{dataset: capitals}]\n"
        "limit: 2\n"
        "trackers: [{use: locked, api_key: hunter2hunter2}]\n",
        encoding="utf-8",
    )
    llmeval("run", "eval.yaml")

    finished = llmeval("sync")

    assert (
        "locked: 0 delivered, 1 still wait: its 'api_key' stood in the run file, and the journal"
        " keeps no secrets (try: write api_key: ${NAME} there, and run once more)\n"
    ) in finished.stdout


@pytest.fixture(autouse=True)
def locked(plugin_folder: PluginFolder) -> None:
    plugin_folder.install(
        "locked",
        "from llmeval_core.hooks import *\n"
        "class Key(Settings):\n"
        "    api_key: str\n"
        "class Locked:\n"
        "    async def open(self, run):\n"
        "        raise TrackerError('locked')\n"
        "    async def close(self):\n"
        "        pass\n"
        "    async def deliver(self, result):\n"
        "        pass\n"
        "@hookimpl\n"
        "def llmeval_register_trackers():\n"
        "    yield Component('locked', Key, lambda settings: Locked(), 'never opens')\n",
    )
