"""Reads a server's settings: from flags first, then from environment variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_origin

import click

from llmeval_core.api import Origin, validate
from llmeval_core.hooks import ConfigError, expand_path
from llmeval_server.server_settings import ServerSettings, variable_of

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_SINGULAR = {
    "trusted_proxies": "trusted-proxy",
    "allowed_hosts": "allowed-host",
    "data_folders": "data-folder",
    "model_urls": "model-url",
    "job_variables": "job-variable",
}
_TOKEN_FILE = "token_file"  # noqa: S105  the name of a setting


def settings_options(*names: str) -> Callable[[CommandT], CommandT]:
    """Add an option for each of these settings to a command, with the setting's description."""

    def add(command: CommandT) -> CommandT:
        for name in reversed(names):
            field = ServerSettings.model_fields[name]
            is_list = _is_list(name)
            default = field.get_default()
            notes = [variable_of(name)]
            notes += ["may be repeated"] if is_list else [f"default: {default}"] if default else []
            command = click.option(
                flag_of(name),
                name,
                multiple=is_list,
                metavar="VALUE",
                help=f"{field.description}  [{'; '.join(notes)}]",
            )(command)
        return command

    return add


def read_settings(
    flags: Mapping[str, Any], *, token_file: Path | None = None, environ: Mapping[str, str]
) -> ServerSettings:
    """Read the settings from flags and environment variables; Any: flags are checked here.

    Args:
        flags: values by setting; None or empty if the flag was not given.
        token_file: a file with the token; the file that LLMEVAL_TOKEN_FILE names if None.
        environ: the environment; an empty variable counts as not set.

    Raises:
        ConfigError: a flag or a variable has a wrong value.
    """
    data: dict[str, Any] = {}
    sources: dict[tuple[int | str, ...], str] = {}
    for name in ServerSettings.model_fields:
        value: Any = flags.get(name)
        source = flag_of(name)
        if value in (None, ()):
            text = environ.get(variable_of(name), "")
            value = _split(text) if _is_list(name) else text
            source = variable_of(name)
        if value:
            data[name] = value
            sources[name,] = source
    file = token_file or environ.get(variable_of(_TOKEN_FILE))
    if file:
        data["token"] = _read_token(expand_path(file))
    return validate(ServerSettings, data, origin=Origin(flags=sources))


def variables_for_worker(settings: ServerSettings) -> dict[str, str]:
    """Return the environment for a worker with the same settings."""
    own = {variable_of(name) for name in (*ServerSettings.model_fields, _TOKEN_FILE)}
    environ = {name: value for name, value in os.environ.items() if name not in own}
    environ[variable_of("home")] = str(settings.home.absolute())
    environ[variable_of("jobs_at_once")] = str(settings.jobs_at_once)
    if settings.jobs_url is not None:
        environ[variable_of("jobs_url")] = settings.jobs_url.get_secret_value()
    return environ


def flag_of(name: str) -> str:
    """Return the flag of a setting; that of a list is singular and may be repeated."""
    return "--" + _SINGULAR.get(name, name.replace("_", "-"))


def _is_list(name: str) -> bool:
    return get_origin(ServerSettings.model_fields[name].annotation) is tuple


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_token(file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"cannot read the token: {err}", where=str(file)) from err
    if not token:
        raise ConfigError("the token's file is empty", where=str(file))
    return token
