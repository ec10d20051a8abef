"""More keys for the JSON of a request, put into what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(body: Mapping[str, Any], *more: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with more keys; objects are merged, anything else is replaced. Any: JSON.

    `{generationConfig: {topK: 20}}` adds to what the settings say, and takes nothing away.
    """
    found = dict(body)
    for keys in more:
        for key, value in keys.items():
            there = found.get(key)
            if isinstance(there, Mapping) and isinstance(value, Mapping):
                found[key] = merged(there, value)
            else:
                found[key] = value
    return found
