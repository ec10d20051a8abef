"""`llmeval doctor`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llmeval_core.api.built_in_checks import check_python

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

ODD_CHECKS = """\
import threading
from llmeval_core.hooks import Check, CheckOutcome, hookimpl
def broken(home):
    raise ZeroDivisionError("no luck")
@hookimpl
def llmeval_register_checks():
    yield Check("worried", lambda home: CheckOutcome("warning", "hm", "look again"))
    yield Check("broken", broken)
    yield Check("leaving", lambda home: exit("I leave"))
    yield Check("hanging", lambda home: threading.Event().wait())
    yield Check("mute", lambda home: None)
"""


def found(stdout: str) -> dict[str, dict[str, Any]]:
    """Read the findings by name; Any: JSON."""
    return {finding.pop("name"): finding for finding in json.loads(stdout)}


@pytest.fixture(autouse=True)
def capitals(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")


def test_all_is_well_in_an_empty_folder_and_nothing_is_made(llmeval: Llmeval) -> None:
    finished = llmeval("doctor", "--json")

    findings = found(finished.stdout)
    assert findings.pop("Python")["state"] in ("ok", "warning")
    assert findings == {
        "folder": {"state": "ok", "detail": ".llmeval: made by the first run", "hint": None},
        "journal": {"state": "ok", "detail": "none yet", "hint": None},
        "deliveries": {"state": "ok", "detail": "none yet", "hint": None},
        "plugins": {"state": "ok", "detail": "1 loaded", "hint": None},
        "names": {"state": "ok", "detail": "each offered once", "hint": None},
        "atlas": {"state": "ok", "detail": "on the shelf", "hint": None},
    }
    assert not Path(".llmeval").exists()
    assert finished.exit_code == 0


def test_the_table_has_a_line_for_each_check(llmeval: Llmeval) -> None:
    finished = llmeval("doctor")

    lines = [line.split() for line in finished.stdout.splitlines()]
    assert lines[0] == ["check", "state", "detail", "try"]
    assert ["atlas", "ok", "on", "the", "shelf"] in lines


def test_odd_checks_are_findings_and_never_stop_the_doctor(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("odd_checks", ODD_CHECKS)

    finished = llmeval("doctor", "--json", "--timeout", "0.2")

    findings = found(finished.stdout)
    assert {name: findings[name] for name in list(findings)[-5:]} == {
        "worried": {"state": "warning", "detail": "hm", "hint": "look again"},
        "broken": {
            "state": "failed",
            "detail": "the check itself broke: ZeroDivisionError: no luck",
            "hint": None,
        },
        "leaving": {
            "state": "failed",
            "detail": "the check itself broke: SystemExit: I leave",
            "hint": None,
        },
        "hanging": {"state": "failed", "detail": "no answer within 0.2 s", "hint": None},
        "mute": {
            "state": "failed",
            "detail": "the check gave a NoneType, not a CheckOutcome",
            "hint": None,
        },
    }
    assert finished.exit_code == 1


def test_broken_plugins_and_conflicts_fail(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("broken_import")
    plugin_folder.install("duplicate_name")

    finished = llmeval("doctor", "--json")

    findings = found(finished.stdout)
    assert findings["plugins"] == {
        "state": "failed",
        "detail": "broken_import (fake-broken-import 1.0): ModuleNotFoundError: No module named"
        " 'a_module_that_is_not_there'",
        "hint": "upgrade or uninstall it, or leave it alone with `-p no:NAME`",
    }
    assert findings["names"] == {
        "state": "failed",
        "detail": "datasets: 'capitals' comes from fake-capitals 1.0 and fake-duplicate-name 1.0",
        "hint": "leave one of the plugins alone with `-p no:NAME`",
    }
    assert finished.exit_code == 1


def test_a_folder_that_cannot_be_made_fails(llmeval: Llmeval) -> None:
    Path("file").write_text("in the way", encoding="utf-8")

    finished = llmeval("doctor", "--json", "--home", "file/home")

    assert found(finished.stdout)["folder"]["state"] == "failed"
    assert finished.exit_code == 1


def test_a_newer_journal_fails(llmeval: Llmeval) -> None:
    Path(".llmeval").mkdir()
    with closing(sqlite3.connect(".llmeval/journal.sqlite")) as connection:
        connection.execute("PRAGMA user_version=99")

    finished = llmeval("doctor", "--json")

    findings = found(finished.stdout)
    assert findings["journal"] == {
        "state": "failed",
        "detail": "the journal has version 99, this llmeval knows 7",
        "hint": "upgrade llmeval-core, or choose another folder with --home DIR",
    }
    assert findings["deliveries"]["state"] == "warning"
    assert finished.exit_code == 1


def test_results_that_wait_are_a_warning(llmeval: Llmeval) -> None:
    Path(".llmeval").mkdir()
    Path(".llmeval/notebook.closed").touch()
    llmeval("run", "-m", "atlas/any", "-d", "capitals:3", "--tracker", "notebook")

    finished = llmeval("doctor", "--json")

    findings = found(finished.stdout)
    assert findings["deliveries"] == {
        "state": "warning",
        "detail": "notebook lacks 1 result",
        "hint": "`llmeval sync` delivers them",
    }
    assert findings["journal"]["detail"] == "1 result"
    assert finished.exit_code == 0


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10), "failed"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "warning")],
)
def test_python_versions(version: tuple[int, int], state: str) -> None:
    assert check_python(version).state == state
