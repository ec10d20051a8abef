"""English or Japanese: what a visitor asked for, else what the browser prefers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qs

from llmeval_mlflow_proxy.proxied_headers import first

Language = Literal["en", "ja"]


def language_of(scope: Mapping[str, Any]) -> Language:
    """Choose by `?lang=`, else by `Accept-Language`, else English.

    Any: an ASGI scope has no static type.
    """
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    match query.get("lang", [""])[-1]:
        case "ja":
            return "ja"
        case "en":
            return "en"
    preferences: list[tuple[float, Language]] = []
    for item in (first(scope["headers"], b"accept-language") or "").split(","):
        tag, _, parameter = item.partition(";")
        try:
            quality = float(parameter.partition("=")[2] or 1)
        except ValueError:
            continue
        match tag.strip().lower().partition("-")[0]:
            case "ja":
                preferences.append((quality, "ja"))
            case "en":
                preferences.append((quality, "en"))
    return max(preferences, key=lambda item: item[0], default=(1.0, "en"))[1]
