"""What the environment says of a server where the run file does not: its key, its address."""

from __future__ import annotations

import os

from pydantic import SecretStr, TypeAdapter, ValidationError

from llmeval_core.hooks import ConfigError, ModelError
from llmeval_models.http.http_settings import BaseUrl, HttpSettings


def key_from_environment(settings: HttpSettings, *variables: str) -> SecretStr:
    """Return the key of the settings, else of the first of these variables that has one.

    Raises:
        ModelError: `auth`, there is none.
    """
    given = settings.api_key.get_secret_value() if settings.api_key is not None else None
    found = [given] if given is not None else [os.environ.get(name, "") for name in variables]
    for key in found:
        if key.strip():
            return SecretStr(key)
    raise ModelError(
        "auth",
        f"{' or '.join(variables)} is not set",
        hint=f"export {variables[0]}=... or set api_key",
    )


def address_from_environment(settings: HttpSettings, variable: str) -> str | None:
    """Return the address that a variable names; None if it is empty, or the settings have one.

    Raises:
        ConfigError: it is no address.
    """
    said = os.environ.get(variable, "").strip()
    if not said or "base_url" in settings.model_fields_set:
        return None
    try:
        address: str = TypeAdapter(BaseUrl).validate_python(said)
    except ValidationError as err:
        reason = err.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"{variable} is no address: {reason}", hint="set it right, or set `base_url`"
        ) from err
    return address
