"""`llmeval trackers status`, `copy` and `sync`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

HOME = Path(".llmeval")


def ids(name: str) -> list[str]:
    """Return the ids of the results in a notebook, in order."""
    lines = (HOME / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["id"] for line in lines]


@pytest.fixture(autouse=True)
def three_results(plugin_folder: PluginFolder, llmeval: Llmeval) -> None:
    """Leave three results of two models in the journal and in one notebook."""
    plugin_folder.install("capitals")
    for model, limit in (("atlas/any", "2"), ("atlas/any", "3"), ("parrot/any", "3")):
        run = ("run", "-m", model, "-d", "capitals", "--limit", limit, "--tracker", "notebook")
        assert llmeval(*run).exit_code == 0


def test_status_tells_what_each_tracker_has(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "status")

    header, row, see = finished.stdout.splitlines()
    assert header.split() == ["tracker", "delivered", "waiting", "refused", "last", "delivery"]
    assert row.split()[:4] == ["notebook", "3", "0", "0"]
    assert see == "notebook: see .llmeval/notebook.jsonl"
    assert finished.exit_code == 0


def test_status_tells_what_a_tracker_lacks_and_why(llmeval: Llmeval) -> None:
    (HOME / "notebook.closed").touch()
    llmeval("run", "-m", "parrot/any", "-d", "capitals", "--limit", "4", "--tracker", "notebook")

    finished = llmeval("trackers", "status", "notebook")

    assert finished.stdout.splitlines()[1].split()[:4] == ["notebook", "3", "1", "0"]
    assert "notebook: the notebook is closed" in finished.stdout
    assert "  parrot/any  capitals_0shot  waits: the notebook is closed\n" in finished.stdout
    assert "`llmeval trackers sync` delivers" in finished.stdout
    assert finished.exit_code == 1


def test_status_as_json_has_settings_and_every_lack(llmeval: Llmeval) -> None:
    (HOME / "notebook.closed").touch()
    llmeval("run", "-m", "parrot/any", "-d", "capitals", "--limit", "4", "--tracker", "notebook")

    (described,) = json.loads(llmeval("trackers", "status", "notebook", "--json").stdout)

    assert described["config"] == {"required": True, "use": "notebook"}
    assert (described["n_delivered"], described["n_pending"]) == (3, 1)
    (lack,) = described["lacks"]
    assert (lack["model"], lack["task"], lack["state"]) == (
        "parrot/any",
        "capitals_0shot",
        "pending",
    )


def test_status_of_a_tracker_that_no_run_used(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "status", "notbook")

    assert finished.exit_code == 2
    assert "no run has used a tracker 'notbook'" in finished.stderr
    assert "did you mean 'notebook'?" in finished.stderr


def test_sync_is_a_subcommand_too(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "sync")

    assert finished.stdout == "notebook: lacks nothing\n"


def test_copy_gives_a_new_tracker_everything_in_order(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "copy", "notebook:new.jsonl")

    assert finished.stdout == "notebook-2: 3 delivered (.llmeval/new.jsonl)\n"
    assert ids("new.jsonl") == ids("notebook.jsonl")
    assert finished.exit_code == 0


def test_the_same_copy_again_has_nothing_to_do(llmeval: Llmeval) -> None:
    llmeval("trackers", "copy", "notebook:new.jsonl")

    finished = llmeval("trackers", "copy", "notebook:new.jsonl")

    assert finished.stdout == "notebook-2: lacks nothing\n"


def test_a_copy_to_the_runs_own_tracker_sends_nothing_twice(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "copy", "notebook")

    assert finished.stdout == "notebook: lacks nothing\n"


def test_a_tracker_that_lost_its_data_gets_it_again(llmeval: Llmeval) -> None:
    (HOME / "notebook.jsonl").unlink()

    finished = llmeval("trackers", "copy", "notebook", "--again")

    assert finished.stdout == "notebook: 3 delivered (.llmeval/notebook.jsonl)\n"
    assert len(ids("notebook.jsonl")) == 3


def test_an_interrupted_copy_goes_on_with_sync(llmeval: Llmeval) -> None:
    (HOME / "new.closed").touch()
    stopped = llmeval("trackers", "copy", "notebook:new.jsonl")
    (HOME / "new.closed").unlink()

    finished = llmeval("trackers", "sync")

    assert stopped.exit_code == 1
    assert "3 still wait: the notebook is closed" in stopped.stdout
    assert "notebook-2: 3 delivered" in finished.stdout
    assert finished.exit_code == 0


def test_copy_of_some_models_and_of_the_newest_results(llmeval: Llmeval) -> None:
    some = llmeval("trackers", "copy", "notebook:some.jsonl", "-m", "par*")
    latest = llmeval("trackers", "copy", "notebook:latest.jsonl", "--latest", "--json")

    assert ids("some.jsonl") == ids("notebook.jsonl")[2:]
    assert ids("latest.jsonl") == ids("notebook.jsonl")[1:]
    assert some.stdout.startswith("notebook-2: 1 delivered")
    assert json.loads(latest.stdout) == {
        "name": "notebook-3",
        "delivered": 2,
        "undelivered": 0,
        "reason": None,
        "location": ".llmeval/latest.jsonl",
        "chosen": 2,
    }


def test_copy_takes_settings_and_a_name(llmeval: Llmeval) -> None:
    finished = llmeval(
        "trackers", "copy", "notebook", "--set", "path=other.jsonl", "--name", "archive"
    )

    assert finished.stdout == "archive: 3 delivered (.llmeval/other.jsonl)\n"
    status = json.loads(llmeval("trackers", "status", "archive", "--json").stdout)
    assert status[0]["config"] == {"path": "other.jsonl", "required": False, "use": "notebook"}


def test_a_name_with_other_settings_is_not_taken_over(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "copy", "notebook:new.jsonl", "--name", "notebook")

    assert finished.exit_code == 2
    assert "'notebook' is a tracker with other settings in this journal" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("notbook",), "unknown tracker 'notbook'"),
        (("notebook", "--set", "path"), "'path' is no setting"),
        (("notebook", "--set", "path=[1"), "the value of 'path' cannot be read"),
        (("notebook", "--set", "paht=x"), "paht"),
    ],
)
def test_wrong_arguments_are_told(
    llmeval: Llmeval, arguments: tuple[str, ...], message: str
) -> None:
    finished = llmeval("trackers", "copy", *arguments)

    assert finished.exit_code == 2
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_glob_that_fits_nothing_is_told(llmeval: Llmeval) -> None:
    finished = llmeval("trackers", "copy", "notebook", "-m", "openai/*")

    assert finished.stdout == "no result fits\n"
    assert finished.exit_code == 0
