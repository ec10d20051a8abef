"""Shell completion, as the shell asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder


def complete(words: str, work: Path) -> list[str]:
    """Ask for what may follow the words, as bash does; a last space begins a new word."""
    parts = words.split(" ")
    environ = {
        **os.environ,
        "_LLMEVAL_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(parts) - 1),
    }
    finished = subprocess.run(
        [sys.executable, "-c", "from llmeval_core.cli import main; main()"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        cwd=work,
    )
    assert finished.stderr == ""
    return [line.partition(",")[2] for line in finished.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("llmeval run -d ", ["capitals"]),
        ("llmeval run -m ", ["atlas/", "parrot/"]),
        ("llmeval run -m pa", ["parrot/"]),
        ("llmeval run --metric ", ["exact"]),
        ("llmeval run --tracker ", ["notebook"]),
        ("llmeval run --li", ["--limit"]),
        ("llmeval -p no:capitals run -d ", []),
        ("llmeval pl", ["plan", "plugins", "plugin"]),
        ("llmeval metrics ", ["exact"]),
        ("llmeval datasets ", ["fetch", "list", "show", "capitals"]),
        ("llmeval datasets show c", ["capitals"]),
        ("llmeval samples ", []),
        ("llmeval completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_names_are_completed(
    words: str, expected: list[str], plugin_folder: PluginFolder, work: Path
) -> None:
    plugin_folder.install("capitals")

    assert complete(words, work) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("llmeval samples capitals_0shot_", ["capitals_0shot_exact"]),
        ("llmeval results -m ", ["atlas/any"]),
        ("llmeval results -d ", ["capitals"]),
    ],
)
def test_names_in_the_journal_are_completed(
    words: str, expected: list[str], llmeval: Llmeval, plugin_folder: PluginFolder, work: Path
) -> None:
    plugin_folder.install("capitals")
    llmeval("run", "-m", "atlas/any", "-d", "capitals:3", "--quiet")

    assert complete(words, work)[: len(expected)] == expected


def test_commands_of_plugins_are_completed(plugin_folder: PluginFolder, work: Path) -> None:
    plugin_folder.install(
        "greeting",
        "import click\n"
        "from llmeval_core.hooks import hookimpl\n"
        "@hookimpl\n"
        "def llmeval_register_commands():\n"
        "    yield click.Command('hello', callback=lambda: click.echo('hello'))\n",
    )

    assert complete("llmeval he", work) == ["hello"]


def test_a_broken_plugin_does_not_disturb_completion(
    plugin_folder: PluginFolder, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_folder.install("capitals")
    plugin_folder.install("broken_import")
    monkeypatch.setenv("LLMEVAL_STRICT_PLUGINS", "1")

    assert complete("llmeval run -d ", work) == ["capitals"]


@pytest.mark.parametrize(
    ("shell", "mark"),
    [
        ("bash", "complete -o nosort -F _llmeval_completion llmeval"),
        ("zsh", "#compdef llmeval"),
        ("fish", "complete --no-files --command llmeval"),
    ],
)
def test_the_script_is_for_the_shell(shell: str, mark: str, llmeval: Llmeval) -> None:
    finished = llmeval("completion", shell)

    assert mark in finished.stdout
    assert "_LLMEVAL_COMPLETE" in finished.stdout
    assert finished.exit_code == 0
