"""The exit codes that `llmeval --help` promises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmeval_core.cli.run_action import exit_code
from llmeval_core.engine import RunOutcome
from llmeval_core.errors import ConfigError
from llmeval_core.records import RunSummary

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

RUN = ("run", "-m", "atlas/any", "-d")


@pytest.fixture(autouse=True)
def capitals(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")


def test_0_if_all_is_well(llmeval: Llmeval) -> None:
    assert llmeval(*RUN, "capitals:3", "--tracker", "notebook").exit_code == 0


def test_1_if_a_sample_failed(llmeval: Llmeval) -> None:
    assert llmeval(*RUN, "capitals:4").exit_code == 1


def test_1_if_a_result_is_undelivered(llmeval: Llmeval) -> None:
    Path(".llmeval").mkdir()
    Path(".llmeval/notebook.closed").touch()

    assert llmeval(*RUN, "capitals:3", "--tracker", "notebook").exit_code == 1


def test_0_if_the_tracker_is_not_required(llmeval: Llmeval) -> None:
    Path(".llmeval").mkdir()
    Path(".llmeval/notebook.closed").touch()
    Path("eval.yaml").write_text(
        "models: [atlas/any]\n"
        "tasks: [{dataset: 'capitals:3'}]\n"
        "trackers: [{use: notebook, required: false}]\n",
        encoding="utf-8",
    )

    assert llmeval("run", "eval.yaml").exit_code == 0


def test_2_if_the_user_must_change_something(llmeval: Llmeval) -> None:
    assert llmeval(*RUN, "rivers").exit_code == 2


@pytest.mark.parametrize(
    ("interrupted", "n_errors", "n_failed", "n_undelivered", "code"),
    [
        (False, 0, 0, 0, 0),
        (False, 0, 1, 0, 1),
        (False, 0, 0, 1, 1),
        (False, 1, 1, 1, 2),
        (True, 1, 1, 1, 130),
    ],
)
def test_the_gravest_code_wins(
    interrupted: bool, n_errors: int, n_failed: int, n_undelivered: int, code: int
) -> None:
    summary = RunSummary(
        results=(),
        n_samples=3,
        n_failed=n_failed,
        n_requests=3,
        n_unfinished=0,
        n_undelivered=n_undelivered,
        interrupted=interrupted,
        elapsed_s=1.0,
    )
    outcome = RunOutcome(summary, tuple(ConfigError("no") for _ in range(n_errors)), ())

    assert exit_code(outcome) == code
