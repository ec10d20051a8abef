"""Settings as people, the journal and trackers may see them: as written, without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmeval_core.naming import Json

SECRET_MARK = "***"  # noqa: S105
"""Stands where a secret was written into a run file literally."""

_SECRET_KEY = re.compile(r"(?i)(api[-_]?key|token|password|secret|authorization)$")
_TEXT_TOKEN = re.compile(
    r"(?i)(^|[-_])(bos|eos|pad|unk|sep|mask|begin|start|end|stop|prefix|suffix)[-_]token$"
)
"""Tokens of a text, such as `end_token`: what they are decides numbers, and is no secret."""
_SECRET_GROUPS = frozenset({"headers"})
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_QUERY_NAME = r"[^=&\s]*(?:key|token|secret|password|signature|sig|code)"
_QUERY_SECRET = re.compile(rf"(?i)(?<=[?&])({_QUERY_NAME}=)[^&\s#]+")


def public_settings(settings: Mapping[str, Any]) -> dict[str, Json]:
    """Return settings with `${NAME}` as it is and literal secrets replaced by `SECRET_MARK`.

    What stands under a key that ends like `api_key`, `token` or `password`, in `headers`, as a
    login in a URL, or in its query under such a name is taken for a secret, but for tokens of a
    text (`end_token`). Any: what the run file has.
    """
    return {key: _public(key, value) for key, value in settings.items()}


def shown_settings(decided: Mapping[str, Json]) -> dict[str, Json]:
    """Return all that decides a task, for people to read: what is sent as written has no secrets.

    Args:
        decided: by name; models are asked as `generation`, `roles` and `solver` say.
    """
    sent = {key: decided[key] for key in ("generation", "roles", "solver") if key in decided}
    return {**decided, **public_settings(sent)}


def _is_secret(key: str) -> bool:
    return key in _SECRET_GROUPS or bool(_SECRET_KEY.search(key) and not _TEXT_TOKEN.search(key))


def _public(key: str, value: Any, *, secret: bool = False) -> Json:
    """Mask one value; Any: a tree of YAML values."""
    secret = secret or _is_secret(key)
    if isinstance(value, Mapping):
        is_query = key == "query"
        return {
            str(name): _public(
                str(name),
                item,
                secret=secret
                or (is_query and re.fullmatch(_QUERY_NAME, str(name), re.IGNORECASE) is not None),
            )
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_public(key, item, secret=secret) for item in value]
    if isinstance(value, str):
        if "${" in value:
            return value
        if secret:
            return SECRET_MARK
        value = _LOGIN.sub(f"{SECRET_MARK}@", value)
        return _QUERY_SECRET.sub(rf"\1{SECRET_MARK}", value) if "://" in value else value
    return value if value is None or isinstance(value, bool | int | float) else str(value)
