"""`llmeval completion`: the script that teaches a shell to complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, /, shell: str) -> None:
    """Print the completion script for a shell; names of plugins are completed too.

    \b
    Install it:
      bash  llmeval completion bash > ~/.llmeval-complete.bash
            echo '. ~/.llmeval-complete.bash' >> ~/.bashrc
      zsh   llmeval completion zsh > ~/.llmeval-complete.zsh
            echo '. ~/.llmeval-complete.zsh' >> ~/.zshrc
      fish  llmeval completion fish > ~/.config/fish/completions/llmeval.fish
    """
    from llmeval_core.cli.console import echo_document  # noqa: PLC0415  late: see `options`

    kind = get_completion_class(shell)
    assert kind is not None  # `SHELLS` are click's own
    echo_document(kind(ctx.find_root().command, {}, "llmeval", "_LLMEVAL_COMPLETE").source())
