"""What the command line says when something is in the way of the project's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

RUN = ("run", "-m", "atlas/any", "-d", "capitals")


@pytest.mark.parametrize("command", [RUN, ("results",), ("sync",)])
@pytest.mark.parametrize(("home", "blocked"), [("file/home", "file"), ("file", "file")])
def test_a_file_where_a_folder_must_be_is_told(
    llmeval: Llmeval,
    plugin_folder: PluginFolder,
    command: tuple[str, ...],
    home: str,
    blocked: str,
) -> None:
    plugin_folder.install("capitals")
    Path("file").write_text("in the way", encoding="utf-8")

    finished = llmeval(*command, "--home", home)

    assert finished.stderr == (
        f"error: '{blocked}' is a file, and must be a folder\n"
        f"  where: {home}/journal.sqlite\n"
        "  try:   move it away, or choose another folder with --home DIR\n"
    )
    assert finished.exit_code == 2


def test_a_default_folder_that_is_a_file_is_told(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("capitals")
    Path(".llmeval").touch()

    finished = llmeval(*RUN)

    assert finished.stderr.startswith("error: '.llmeval' is a file, and must be a folder\n")


def test_locks_that_are_no_folder_are_told(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("capitals")
    Path(".llmeval").mkdir()
    Path(".llmeval/locks").touch()

    finished = llmeval(*RUN)

    assert "locks' is a file, and must be a folder\n" in finished.stderr
    assert "  try:   move it away, or choose another folder with --home DIR\n" in finished.stderr


@pytest.mark.parametrize("command", [RUN, ("results",)])
def test_a_journal_that_is_a_folder_is_told(
    llmeval: Llmeval, plugin_folder: PluginFolder, command: tuple[str, ...]
) -> None:
    plugin_folder.install("capitals")
    Path(".llmeval/journal.sqlite").mkdir(parents=True)

    finished = llmeval(*command)

    assert finished.stderr == (
        "error: the journal cannot be read: '.llmeval/journal.sqlite' is a folder, and must be a"
        " file\n"
        "  where: .llmeval/journal.sqlite\n"
        "  try:   move it away, or choose another folder with --home DIR\n"
    )
