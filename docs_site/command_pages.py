"""The reference of the command line, written from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from llmeval_core.cli.group import COMMANDS, EXIT_CODES, cli
from llmeval_core.host import load_plugins


def command_sections() -> str:
    """Write all commands, ours first, with their options."""
    parts = [EXIT_CODES.replace("\b\n", "").replace("\n", " ") + "\n"]
    for command, words in _commands():
        parts += _section(command, words, level=2)
    return "\n".join(parts)


def _commands() -> Iterator[tuple[click.Command, str]]:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        yield command, f"llmeval {name}"
    for plugin in load_plugins(environ={}).plugins:
        if plugin.distribution != "llmeval-example-plugin":
            for command in plugin.registered.get("commands", ()):
                yield command, f"llmeval {command.name}"


def _section(command: click.Command, words: str, *, level: int) -> Iterator[str]:
    """Write one command and its subcommands."""
    context = click.Context(command, info_name=words)
    yield f"{'#' * level} `{words}`\n"
    yield _prose(command.help or "")
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{words} {usage}\n```\n"
    options = [option for option in command.params if not getattr(option, "hidden", False)]
    rows = [row for option in options if (row := option.get_help_record(context)) is not None]
    if rows:
        yield "| option | meaning |\n|---|---|"
        yield "\n".join(f"| {_code(names)} | {_cell(text)} |" for names, text in rows) + "\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _section(inner, f"{words} {name}", level=level + 1)


def _prose(text: str) -> str:
    """Write the help of a command: what it keeps as it stands becomes a block of code."""
    parts = []
    for part in inspect.cleandoc(text).split("\n\n"):
        if part.startswith("\b\n"):
            title, *lines = part.removeprefix("\b\n").split("\n")
            is_titled = title.endswith(":") and not title.startswith(" ")
            block = "\n".join(lines if is_titled else [title, *lines])
            parts.append(f"{title}\n\n" * is_titled + f"```text\n{inspect.cleandoc(block)}\n```")
        else:
            parts.append(_plain(part.replace("\n", " ")))
    return "\n\n".join(parts) + "\n"


def _code(names: str) -> str:
    """Write `-m, --model NAME` as a span for each word, so that it breaks between them."""
    words = [word for word in names.replace("|", "\\|").split(" ") if word]
    return " ".join(f"`{word.rstrip(',')}`" + "," * word.endswith(",") for word in words)


def _cell(text: str) -> str:
    return _plain(re.sub(r"\s+", " ", text)).replace("|", "\\|")


def _plain(text: str) -> str:
    """Keep Markdown from reading more than code spans: `<`, `*` and `_` stand for themselves."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([<*_\[\]])", r"\\\1", part) for part in parts
    )
