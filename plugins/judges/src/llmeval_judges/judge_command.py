"""The command group `judge`, which imports a command when it is used."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "check": "Compare a judge with people, and keep how far it agrees.",
    "report": "Show how the judges of a task judged.",
    "list": "List the judges that were checked, and whether that still holds.",
    "rubrics": "List the ready rubrics, or show one.",
}
"""One-line help by command."""
_MODULES = {
    "check": "check_command",
    "report": "judgements_command",
    "list": "calibrations_command",
    "rubrics": "rubrics_command",
}


class LazyJudgeGroup(click.Group):
    """Lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module."""
        if cmd_name not in _MODULES:
            return None
        module = importlib.import_module(f"{__package__}.{_MODULES[cmd_name]}")
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("judge", cls=LazyJudgeGroup, short_help="See how far judges can be trusted.")
def command() -> None:
    """See how far judges can be trusted.

    \b
    Examples:
      llmeval judge check labels.jsonl --judge openai/gpt-4o --rubric correctness
      llmeval judge report faq_0shot
      llmeval judge rubrics
    """
