"""The language of a page: English or Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast
from urllib.parse import parse_qs

from llmeval_core.support import choose_language
from llmeval_mlflow_proxy.proxied_headers import first

Language = Literal["en", "ja"]


def language_of(scope: Mapping[str, Any]) -> Language:
    """Return the language of `?lang=`, else of `Accept-Language`, else English.

    Any: an ASGI scope has no static type.
    """
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    chosen = query.get("lang", [""])[-1]
    accepted = first(scope["headers"], b"accept-language")
    # cast: it is one of those that are offered.
    return cast("Language", choose_language(("en", "ja"), chosen, accepted=accepted))
