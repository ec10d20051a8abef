"""`llmeval trackers`: what is on offer, how each one stands, deliver, fill a new one."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.default_list import DefaultListGroup
from llmeval_core.cli.sync import command as sync
from llmeval_core.cli.trackers.copy import command as copy
from llmeval_core.cli.trackers.listing import command as listing
from llmeval_core.cli.trackers.status import command as status


def _make_group() -> click.Group:
    commands: dict[str, Any] = {"list": listing, "status": status, "sync": sync, "copy": copy}
    return DefaultListGroup(
        "trackers",
        commands=commands,
        help="""List trackers, see what each one has, deliver what it lacks, fill a new one.

        Without a subcommand: the list; with the NAME of a tracker, its settings and an example.

        \b
        Examples:
          llmeval trackers
          llmeval trackers mlflow
          llmeval trackers status
          llmeval trackers copy mlflow:http://new-server:5000
        """,
    )


command = _make_group()
