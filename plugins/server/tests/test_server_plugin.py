"""The server as a plugin."""

from __future__ import annotations

from llmeval_core.testing import check_plugin


def test_its_commands_are_announced() -> None:
    plugin = check_plugin("llmeval_server.plugin")

    assert [command.name for command in plugin.registered["commands"]] == [
        "serve",
        "worker",
        "jobs",
    ]
