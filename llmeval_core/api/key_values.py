"""Settings as `KEY=VALUE`, as a command line has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from llmeval_core.errors import ConfigError


def read_key_values(pairs: Iterable[str], option: str) -> dict[str, Any]:
    """Read KEY=VALUE, the value as YAML has it in a run file; Any: what YAML gives.

    Args:
        pairs: what the user wrote.
        option: the option that took it, for errors, which do not repeat values.

    Raises:
        ConfigError: there is no key, it comes twice, or the value is not YAML.
    """
    read: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise ConfigError(
                f"'{key}' is no setting" if key else "a setting has no key",
                where=option,
                hint=f"write {option} KEY=VALUE",
            )
        if key in read:
            raise ConfigError(f"'{key}' is given twice", where=option, hint="leave one of them out")
        try:
            read[key] = yaml.safe_load(value)
        except yaml.YAMLError as err:
            raise ConfigError(
                f"the value of '{key}' cannot be read",
                where=option,
                hint="it is YAML, as in a run file: put quotes around a text with special signs",
            ) from err
    return read
