"""The options that name a server and its token."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import SecretStr

from llmeval_core.hooks import ConfigError
from llmeval_server.commands.job_commands.api_client import ServerAddress

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--server",
        "server_url",
        metavar="URL",
        default="http://127.0.0.1:8001",
        envvar="LLMEVAL_SERVER",
        show_envvar=True,
        show_default=True,
        help="The server's address.",
    ),
    click.option(
        "--token-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A file with the server's token; without it, LLMEVAL_TOKEN has the token.",
    ),
)


def server_options(command: CommandT) -> CommandT:
    """Add `--server` and `--token-file` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def json_option(command: CommandT) -> CommandT:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def read_server(
    server_url: str, token_file: Path | None, environ: Mapping[str, str] = os.environ
) -> ServerAddress:
    """Return the server that the options name.

    Raises:
        ConfigError: the address is not valid, or the token's file cannot be read.
    """
    if not server_url.startswith(("http://", "https://")):
        raise ConfigError(
            f"'{server_url}' is no address of a server",
            where="--server",
            hint="write it as http://HOST:PORT",
        )
    token = environ.get("LLMEVAL_TOKEN") or None
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as err:
            raise ConfigError(
                f"the token cannot be read: {err}", where=f"--token-file {token_file}"
            ) from err
    return ServerAddress(server_url.rstrip("/"), SecretStr(token) if token else None)
