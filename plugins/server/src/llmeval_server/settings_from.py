"""Where a server's settings come from: flags first, then environment variables."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_origin

import click

from llmeval_core.api import Origin, validate
from llmeval_core.hooks import ConfigError, expand_path
from llmeval_server.settings import ServerSettings, variable_of

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
    """Add an option for each of these settings to a command, described as the setting is."""

    def add(command: CommandT) -> CommandT:
        for name in reversed(names):
            field = ServerSettings.model_fields[name]
            many = _is_list(name)
            usual = field.get_default()
            notes = [variable_of(name)]
            notes += ["may be repeated"] if many else [f"default: {usual}"] if usual else []
            command = click.option(
                flag_of(name),
                name,
                multiple=many,
                metavar="VALUE",
                help=f"{field.description}  [{'; '.join(notes)}]",
            )(command)
        return command

    return add


def read_settings(
    flags: Mapping[str, Any], *, token_file: Path | None = None, environ: Mapping[str, str]
) -> ServerSettings:
    """Put the settings together; Any: flags are checked here.

    Args:
        flags: by name of the setting; None or nothing if the flag was not given.
        token_file: has the token; LLMEVAL_TOKEN_FILE if None.
        environ: where variables are looked up; an empty one counts as not set.

    Raises:
        ConfigError: a flag or a variable is wrong, and which.
    """
    data: dict[str, Any] = {}
    places: dict[tuple[int | str, ...], str] = {}
    for name in ServerSettings.model_fields:
        value: Any = flags.get(name)
        place = flag_of(name)
        if value in (None, ()):
            text = environ.get(variable_of(name), "")
            value = _parts(text) if _is_list(name) else text
            place = variable_of(name)
        if value:
            data[name] = value
            places[name,] = place
    file = token_file or environ.get(variable_of(_TOKEN_FILE))
    if file:
        data["token"] = _token_in(expand_path(file))
    return validate(ServerSettings, data, origin=Origin(flags=places))


def variables_for_worker(settings: ServerSettings) -> dict[str, str]:
    """Return the environment in which a worker of this server has the same settings."""
    own = {variable_of(name) for name in (*ServerSettings.model_fields, _TOKEN_FILE)}
    environ = {name: value for name, value in os.environ.items() if name not in own}
    environ[variable_of("home")] = str(settings.home.absolute())
    environ[variable_of("jobs_at_once")] = str(settings.jobs_at_once)
    if settings.jobs_url is not None:
        environ[variable_of("jobs_url")] = settings.jobs_url.get_secret_value()
    return environ


def flag_of(name: str) -> str:
    """Name the flag of a setting; lists have one that may be repeated."""
    return "--" + _SINGULAR.get(name, name.replace("_", "-"))


def _is_list(name: str) -> bool:
    return get_origin(ServerSettings.model_fields[name].annotation) is tuple


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _token_in(file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"cannot read the token: {err}", where=str(file)) from err
    if not token:
        raise ConfigError("the token's file is empty", where=str(file))
    return token
