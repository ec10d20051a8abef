"""The command group: help, laziness, commands of plugins."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmeval_core import __version__
from llmeval_core.cli.group import COMMANDS
from tests.papers import ROOT

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

HELPS = [
    *((command, "--help") for command in COMMANDS),
    *(("datasets", command, "--help") for command in ("list", "show", "fetch")),
]
GREETING = """\
import click
from llmeval_core.hooks import hookimpl
@click.command("hello")
def hello():
    \"\"\"Say hello. And no more.\"\"\"
    click.echo("hello")
@hookimpl
def llmeval_register_commands():
    yield hello
"""
ANNOUNCED = {"hello": "greeting:hello"}


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


def test_help_lists_what_plugins_announce(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("greeting", GREETING, commands=ANNOUNCED)

    finished = llmeval("--help")

    assert "\nCommands of plugins:\n  hello  Say hello.\n" in finished.stdout
    assert "greeting" not in sys.modules


def test_help_names_the_distribution_of_a_command_that_does_not_explain_itself(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("greeting", GREETING, commands={"hello": "gone.away:hello"})

    assert "  hello  A command of fake-greeting.\n" in llmeval("--help").stdout


def test_a_disabled_plugin_has_no_command(llmeval: Llmeval, plugin_folder: PluginFolder) -> None:
    plugin_folder.install("greeting", GREETING)

    finished = llmeval("-p", "no:greeting", "hello")

    assert "Error: No such command 'hello'. `llmeval --help` lists" in finished.stderr
    assert finished.exit_code == 2


def test_an_announced_command_of_a_disabled_plugin_is_told_apart(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("greeting", GREETING, commands=ANNOUNCED)

    finished = llmeval("-p", "no:greeting", "hello")

    assert finished.stderr == (
        "error: the command 'hello' comes with fake-greeting, which is disabled\n"
        "  try:   leave out `-p no:NAME`, or change LLMEVAL_DISABLE_PLUGINS\n"
    )
    assert finished.exit_code == 2


def test_an_announced_command_of_a_broken_plugin_says_why(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("greeting", "import nothing_of_the_kind", commands=ANNOUNCED)

    finished = llmeval("hello")

    assert finished.stderr == (
        "error: the command 'hello' cannot be used: plugin 'greeting' is broken:"
        " ModuleNotFoundError: No module named 'nothing_of_the_kind'\n"
        "  where: fake-greeting 1.0\n"
        "  try:   `llmeval plugins` lists all; install it again if it is not yours to mend\n"
    )
    assert finished.exit_code == 2


def test_a_command_that_is_announced_and_not_offered_is_a_bug_of_its_plugin(
    llmeval: Llmeval, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("greeting", GREETING, commands={"goodbye": "greeting:hello"})

    finished = llmeval("goodbye")

    assert finished.stderr == (
        "error: fake-greeting announces the command 'goodbye', and its plugin does not offer it\n"
        "  try:   this is a bug in the plugin; tell its author\n"
    )
    assert finished.exit_code == 2


@pytest.mark.parametrize("command", ["serve", "worker", "jobs"])
def test_a_command_of_the_server_names_what_to_install(
    command: str, llmeval: Llmeval, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT), sysconfig.get_path("stdlib")])

    finished = llmeval(command, "--port", "80")

    assert finished.stderr == (
        f"error: the command '{command}' comes with llmeval-server, which is not installed\n"
        "  try:   docs/installing.md says from where: a checkout, git or an index\n"
    )
    assert finished.exit_code == 2


def test_a_misspelt_command_of_a_plugin_is_known(llmeval: Llmeval) -> None:
    finished = llmeval("serv")

    assert "Error: No such command 'serv'. Did you mean 'serve'?" in finished.stderr
