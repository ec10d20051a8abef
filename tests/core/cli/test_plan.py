"""`llmeval plan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

ARGUMENTS = ("-m", "atlas/any", "-d", "capitals", "--limit", "3")


@pytest.fixture(autouse=True)
def capitals(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")


def test_a_plan_counts_requests_and_makes_no_journal(llmeval: Llmeval) -> None:
    finished = llmeval("plan", *ARGUMENTS)

    assert "3 requests to send, plan " in finished.stdout
    assert not Path(".llmeval").exists()
    assert finished.exit_code == 0


def test_a_plan_knows_what_the_journal_has(llmeval: Llmeval) -> None:
    llmeval("run", *ARGUMENTS)

    finished = llmeval("plan", "-m", "atlas/any", "-d", "capitals", "--json")

    (found,) = json.loads(finished.stdout)["preview"]
    assert found.pop("estimate")["basis"] == "3 answers to this task"
    assert [found] == [
        {
            "model": "atlas/any",
            "task": "capitals_0shot",
            "n_samples": 4,
            "n_answered": 3,
            "n_requests": 1,
            "n_unusable": 0,
            "warnings": [],
            "roles": [],
            "is_exact": True,
        }
    ]


def test_a_plan_has_the_fingerprint_of_its_run(llmeval: Llmeval) -> None:
    planned = json.loads(llmeval("plan", *ARGUMENTS, "--json").stdout)

    run = json.loads(llmeval("run", *ARGUMENTS, "--json").stdout)

    assert planned["fingerprint"] == run["results"][0]["plan_fingerprint"]


def test_a_home_in_which_no_run_could_be_kept_is_told(llmeval: Llmeval) -> None:
    Path("file").touch()

    finished = llmeval("plan", *ARGUMENTS, "--home", "file/home", "--json")

    (note,) = json.loads(finished.stdout)["notes"]
    assert note == (
        "a run could not be kept: 'file' is a file, and must be a folder"
        " (try: move it away, or choose another folder with --home DIR)"
    )
    assert finished.exit_code == 0


def test_the_folder_of_a_run_is_expanded_where_no_shell_has_a_look(
    llmeval: Llmeval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LLMEVAL_HOME", "~/kept")

    llmeval("run", *ARGUMENTS)
    llmeval("run", *ARGUMENTS, "--home=$HOME/there")

    assert (tmp_path / "kept" / "journal.sqlite").exists()
    assert (tmp_path / "there" / "journal.sqlite").exists()
    assert list(Path().iterdir()) == []


JUDGING = """
from llmeval_core.hooks import (
    Component, Message, Question, Score, Settings, hookimpl, mean_aggregate
)

class Judging:
    definition = "judging@1"
    higher_is_better = True
    roles = {"judge": 1}

    async def score(self, sample, generation, ask):
        said = await ask(Question((Message("user", f"is {generation.text} right?"),)), role="judge")
        return Score(float(len(said.text)))

    def aggregate(self, scores):
        return mean_aggregate(scores)

@hookimpl
def llmeval_register_metrics():
    yield Component("judging", Settings, lambda settings: Judging(), "asks a judge")
"""


def test_a_plan_estimates_a_judge_that_alone_is_to_be_asked(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("judging", JUDGING)
    llmeval("run", *ARGUMENTS)

    finished = llmeval("plan", *ARGUMENTS, "--metric", "judging", "--role", "judge=atlas/other")

    assert "3 requests to send, plan " in finished.stdout
    assert "estimated: " in finished.stdout
    assert "by the question and the answer it is about" in finished.stdout
    assert " in all" not in finished.stdout  # how long a judge takes is not known
