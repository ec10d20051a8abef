"""The command group: finds commands by name, imports one only when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from llmeval_core import __version__
from llmeval_core.announced_commands import announced_commands
from llmeval_core.cli.collector_pause import collect_seldom
from llmeval_core.cli.error_output import print_error
from llmeval_core.cli.exit import exit_process
from llmeval_core.cli.group_options import debug_option, disabled_plugins, with_debug
from llmeval_core.cli.streams import Streams
from llmeval_core.errors import LlmevalError

COMMANDS = {
    "run": "Evaluate models on data sets.",
    "plan": "Show what a run would do, and send nothing.",
    "results": "Show the leaderboard.",
    "history": "Show what a metric key was, when, and from what.",
    "samples": "Show what was asked, answered, expected and scored.",
    "sync": "Deliver what trackers still lack.",
    "datasets": "List data sets, show or fetch one.",
    "tasks": "List ready-made tasks.",
    "models": "List model providers.",
    "metrics": "List metrics.",
    "solvers": "List solvers: ways to answer with several requests.",
    "tools": "List tools that models may call.",
    "trackers": "List trackers, see what each has, fill a new one.",
    "plugins": "List plugins, and why one does not work.",
    "plugin": "Make a plugin project, check an installed plugin.",
    "doctor": "Check that everything works.",
    "schema": "Print the JSON Schema of the run file.",
    "completion": "Print the shell completion script.",
}
"""Command to one-line help; each lives in the module `llmeval_core.cli.<command>`."""

EXIT_CODES = """\b
Exit codes: 0 all well; 1 finished, with failed samples or an undelivered result, or what was to be
shown could not be written; 2 something must be changed by the user; 130 interrupted."""


class LazyGroup(click.Group):
    """Lists commands without importing them; loads plugins only for a name it does not know."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the built-in commands, in the order of `COMMANDS`, and those of plugins."""
        return [*COMMANDS, *self._of_plugins(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module, or find it among the plugins' commands."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"llmeval_core.cli.{cmd_name}")
            command: click.Command = module.command
            return with_debug(command)
        if cmd_name.startswith("-"):
            return None
        # Late, because it imports what plugins need, and --help must not.
        from llmeval_core.cli.plugin_session import plugin_commands  # noqa: PLC0415

        return plugin_commands(ctx).get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was meant, or what to install."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as err:
            if args[0].startswith("-"):
                raise
            # Late, because it imports what plugins need, and --help must not.
            from llmeval_core.cli.unknown_command import unknown_command  # noqa: PLC0415

            raise unknown_command(ctx, args[0], known=self.list_commands(ctx)) from err

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete options and commands; plugins are loaded only if no known command fits."""
        found = [
            CompletionItem(name, help=summary)
            for name, summary in (COMMANDS | self._of_plugins(ctx)).items()
            if name.startswith(incomplete)
        ]
        if not found and not incomplete.startswith("-"):
            # Late, because it imports what plugins need.
            from llmeval_core.cli.plugin_session import plugin_commands  # noqa: PLC0415

            found = [
                CompletionItem(name, help=command.get_short_help_str())
                for name, command in sorted(plugin_commands(ctx).items())
                if name.startswith(incomplete)
            ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lists of commands, ours and those of plugins, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        of_plugins = self._of_plugins(ctx)
        if of_plugins:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(list(of_plugins.items()))

    def _of_plugins(self, ctx: click.Context) -> dict[str, str]:
        """Name the commands that installed plugins announce, with their lines of help."""
        announced = announced_commands(disabled_plugins(ctx))
        return {
            name: command.summary() for name, command in announced.items() if name not in COMMANDS
        }


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="llmeval")
@click.option(
    "-p",
    "plugins",
    multiple=True,
    metavar="no:NAME",
    help="Leave a plugin alone, by the name that `llmeval plugins` shows.",
)
def cli(plugins: tuple[str, ...]) -> None:
    """Evaluate language models; everything in it is a plugin.

    \b
    Example:
      llmeval run -m llamacpp/smollm2-135m-instruct -d commonsense_qa --limit 50
    """
    wrong = [value for value in plugins if not value.startswith("no:") or value.strip() == "no:"]
    if wrong:
        raise click.UsageError(f"-p takes no:NAME, not '{wrong[0]}'")


cli.params.append(debug_option(hidden=False))


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    An `LlmevalError` is printed as three lines and becomes exit code 2. The exit code is that of
    what was done, whatever became of the output; a command that only shows something has 1 if
    that could not be written.

    Args:
        args: the arguments; those of this process if None, which then ends with the command.
    """
    if args is None:
        collect_seldom()
    streams = Streams(ends_process=args is None)
    try:
        code = _run(args, streams)
    finally:
        streams.close()
    exit_process(code)


def _run(args: Sequence[str] | None, streams: Streams) -> int:
    """Run the command line and return the exit code."""
    try:
        # Any: click does not say what a command returns.
        result: Any = cli.main(args=args, prog_name="llmeval", standalone_mode=False, obj=streams)
    except LlmevalError as err:
        print_error(err, streams)
        return 2
    except click.exceptions.Abort:
        click.echo("interrupted", file=streams.err)
        return 130
    except click.ClickException as err:
        err.show(file=streams.err)
        return 2
    error_message = streams.error_message()
    if error_message is not None:
        click.echo(error_message, file=streams.err)
    if isinstance(result, int):
        return result
    return int(streams.write_error is not None)
