"""`--debug` and LLMEVAL_DEBUG: a traceback where otherwise an error is three lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

LINES = (
    "error: unknown data set 'capitls'\n"
    "  where: -d capitls\n"
    "  try:   did you mean 'capitals'? `llmeval datasets` lists all\n"
)
WRONG = ("-m", "parrot/any", "-d", "capitls")


@pytest.fixture(autouse=True)
def capitals(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")


@pytest.mark.parametrize(
    "args",
    [
        ("--debug", "run", *WRONG),
        ("run", "--debug", *WRONG),
        ("plan", *WRONG, "--debug"),
        ("datasets", "show", "capitls", "--debug"),
    ],
    ids=["before", "after", "at the end", "of a group"],
)
def test_debug_may_stand_anywhere(args: tuple[str, ...], llmeval: Llmeval) -> None:
    finished = llmeval(*args)

    assert finished.stderr.startswith("Traceback (most recent call last):\n")
    assert "\nllmeval_core.errors.UnknownNameError: unknown data set 'capitls'\n" in finished.stderr
    assert "\nerror: unknown data set 'capitls'\n" in finished.stderr
    assert finished.exit_code == 2


def test_the_variable_does_the_same(llmeval: Llmeval, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMEVAL_DEBUG", "1")
    wanted = llmeval("plan", *WRONG).stderr
    monkeypatch.setenv("LLMEVAL_DEBUG", "0")
    unwanted = llmeval("plan", *WRONG).stderr

    assert wanted.startswith("Traceback ")
    assert wanted.endswith(LINES)
    assert unwanted == LINES


def test_what_a_user_wrote_is_not_in_the_traceback(llmeval: Llmeval, work: Path) -> None:
    (work / "eval.yaml").write_text("models: [{name: a/b, generation: sk-secret}]\ntasks: [x]\n")

    finished = llmeval("plan", "eval.yaml", "--debug")

    assert "ValidationError" in finished.stderr
    assert "sk-secret" not in finished.stderr


def test_why_a_plugin_is_broken_is_shown_with_its_traceback(
    plugin_folder: PluginFolder, work: Path
) -> None:
    plugin_folder.install("bad", "def fail():\n    raise OSError('gone')\nfail()\n")
    program = "from llmeval_core.cli import main; main()"
    command = [sys.executable, "-c", program, "plugins", "--debug"]

    finished = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True)

    assert "DEBUG: plugin 'bad' of fake-bad is broken\nTraceback " in finished.stderr
    assert "in fail\n" in finished.stderr
