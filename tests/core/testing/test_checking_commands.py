"""Are the commands of a plugin those that its distribution announces?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmeval_core.testing import check_plugin

if TYPE_CHECKING:
    from tests.conftest import PluginFolder

SOURCE = """\
import click
from llmeval_core.hooks import hookimpl
@click.command("hello")
def hello():
    \"\"\"Say hello. And no more.\"\"\"
made = click.Command("hello", help="Say hello.")
@click.command("goodbye")
def goodbye():
    \"\"\"Say goodbye.\"\"\"
@hookimpl
def llmeval_register_commands():
    yield hello
"""
GROUP = "the entry-point group 'llmeval.commands' of fake-greeting"


def test_what_is_announced_and_offered_is_accepted(plugin_folder: PluginFolder) -> None:
    plugin_folder.install("greeting", SOURCE, commands={"hello": "greeting:hello"})

    plugin = check_plugin("greeting")

    assert [command.name for command in plugin.registered["commands"]] == ["hello"]


@pytest.mark.parametrize(
    ("announced", "message"),
    [
        ({}, f"command 'hello' is not in {GROUP}: `llmeval --help` lacks it"),
        (
            {"hello": "greeting:SOURCE"},
            f"command 'hello' in {GROUP}: 'greeting:SOURCE' cannot be loaded: module 'greeting' has"
            " no attribute 'SOURCE'",
        ),
        (
            {"hello": "greeting:click"},
            f"command 'hello' in {GROUP}: 'greeting:click' is no click command",
        ),
        (
            {"hello": "greeting:goodbye"},
            f"command 'hello' in {GROUP}: 'greeting:goodbye' is the command 'goodbye'",
        ),
        (
            {"hello": "greeting:made"},
            f"command 'hello' in {GROUP}: `llmeval --help` finds the line 'A command of"
            " fake-greeting.', the command itself has 'Say hello.'; name the function that has the"
            " docstring",
        ),
        (
            {"hello": "greeting:hello", "goodbye": "greeting:goodbye"},
            f"command 'goodbye' is in {GROUP}, and no `llmeval_register_commands` gives it",
        ),
    ],
    ids=["unannounced", "nowhere", "no command", "another", "no docstring", "not offered"],
)
def test_a_mismatch_is_named(
    announced: dict[str, str], message: str, plugin_folder: PluginFolder
) -> None:
    plugin_folder.install("greeting", SOURCE, commands=announced)

    with pytest.raises(AssertionError) as refused:
        check_plugin("greeting")

    assert str(refused.value).partition("\n")[0] == message
