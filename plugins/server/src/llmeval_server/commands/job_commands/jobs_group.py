"""The command group `jobs`, which imports a command when it is used."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "submit": "Submit a run file as a job.",
    "list": "List jobs, newest first.",
    "show": "Show a job, or watch it.",
    "cancel": "Ask jobs to stop.",
    "retry": "Queue a job that is over again.",
    "logs": "Print a job's log.",
}
"""One-line help by command; each is in the module `<command>_command`."""


class LazyJobsGroup(click.Group):
    """Lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__package__}.{cmd_name}_command")
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            # Late: only a mistake needs it.
            from llmeval_core.api import did_you_mean  # noqa: PLC0415

            hint = did_you_mean(name, COMMANDS) or f"there are: {', '.join(COMMANDS)}"
            raise click.UsageError(
                f"No such command '{name}'. {hint[:1].upper()}{hint[1:]}", ctx=ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("jobs", cls=LazyJobsGroup, short_help="Submit jobs to a server, and watch them.")
def command() -> None:
    """Submit jobs to a server, and watch them.

    The server is named by --server or LLMEVAL_SERVER; its token comes from LLMEVAL_TOKEN.

    \b
    Examples:
      llmeval jobs submit eval.yaml --follow
      llmeval jobs list --server https://eval.example.com
    """
