"""`llmeval plugin`: for authors of plugins: a new project, and a check of one."""

from __future__ import annotations

import click

from llmeval_core.cli.plugin.check import command as check
from llmeval_core.cli.plugin.new import command as new

command = click.Group(
    "plugin",
    commands={"new": new, "check": check},
    help="""Write a plugin: make a new project, check one that is installed.

    \b
    Examples:
      llmeval plugin new metric shouting
      llmeval plugin check shouting
    """,
)
