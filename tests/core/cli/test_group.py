"""The command group: help, laziness, commands of plugins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmeval_core import __version__
from llmeval_core.cli.group import COMMANDS

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

HELPS = [
    *((command, "--help") for command in COMMANDS),
    *(("datasets", command, "--help") for command in ("list", "show", "fetch")),
]
GREETING = """\
import click
from llmeval_core.hooks import hookimpl
@hookimpl
def llmeval_register_commands():
    yield click.Command("hello", callback=lambda: click.echo("hello"))
"""


def test_help_and_version_import_nothing_heavy(plugin_folder: PluginFolder, work: Path) -> None:
    plugin_folder.install("capitals")
    program = (
        "import sys\n"
        "from llmeval_core.cli import main\n"
        f"for args in {[('--version',), ('--help',), *HELPS]}:\n"
        "    try:\n"
        "        main(args)\n"
        "    except SystemExit:\n"
        "        pass\n"
        "heavy = {'pydantic', 'pluggy', 'rich', 'yaml', 'jinja2', 'asyncio', 'sqlite3',\n"
        "         'importlib_metadata', 'capitals'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=work
    )

    assert finished.stderr == "[]\n"


@pytest.mark.parametrize("args", HELPS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(
    args: tuple[str, ...], llmeval: Llmeval
) -> None:
    finished = llmeval(*args)

    assert "llmeval " + " ".join(args[:-1]) in finished.stdout.partition("\n")[2]
    assert "Any:" not in finished.stdout
    assert max(len(line) for line in finished.stdout.splitlines()) <= 100
    assert finished.exit_code == 0


def test_the_version_is_told(llmeval: Llmeval) -> None:
    assert llmeval("--version").stdout == f"llmeval, version {__version__}\n"


def test_a_plugins_command_works_like_our_own(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("greeting", GREETING)

    finished = llmeval("hello")

    assert finished.stdout == "hello\n"
    assert finished.exit_code == 0


def test_a_plugin_that_is_left_alone_has_no_command(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("greeting", GREETING)

    finished = llmeval("-p", "no:greeting", "hello")

    assert "Error: No such command 'hello'. `llmeval --help` lists" in finished.stderr
    assert finished.exit_code == 2
