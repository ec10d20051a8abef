"""Responses of our own if the upstream has none: a page for browsers, JSON for programs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmeval_mlflow_proxy.lifespan import Send
from llmeval_mlflow_proxy.page_language import Language, language_of
from llmeval_mlflow_proxy.proxied_headers import first

_FOR_PROGRAMS = re.compile(
    r"/((ajax-)?api|graphql|get-artifact|model-versions|gateway|v1|health|version|static-files)\b"
)
_RELOAD_S = 2


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """Why a request has no response from the upstream.

    Args:
        status: the HTTP status.
        error_code: MLflow's code for it.
        title: a key of `_TITLES`.
        cause: what is known, one line.
        remedy: what to try; None if there is nothing.
    """

    status: int
    error_code: str
    title: str
    cause: str
    remedy: str | None = None


_TITLES: dict[str, dict[Language, str]] = {
    "starting": {"en": "{name} is starting", "ja": "{name} を起動しています"},
    "down": {"en": "{name} does not answer", "ja": "{name} が応答しません"},
    "none": {"en": "There is no {name} to show", "ja": "表示できる {name} がありません"},
    "refused": {"en": "Not through llmeval", "ja": "llmeval 経由では利用できません"},
    "foreign": {"en": "Request from another site", "ja": "別のサイトからの要求です"},
    "loop": {"en": "llmeval would ask itself", "ja": "要求が循環しています"},
    "bad_path": {"en": "Not a usable path", "ja": "使えないパスです"},
}
_LABELS: dict[str, dict[Language, str]] = {
    "cause": {"en": "Cause", "ja": "原因"},
    "remedy": {"en": "What to try", "ja": "対処"},
    "diagnosis": {"en": "Diagnosis", "ja": "診断ページ"},
    "reload": {
        "en": "This page reloads itself until it is there.",
        "ja": "起動するまで自動的に再読み込みします。",
    },
}
_PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
{refresh}<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


async def send_error(
    scope: Mapping[str, Any],
    send: Send,
    error: ErrorResponse,
    *,
    name: str,
    diagnosis: str | None,
) -> None:
    """Send the response in a form that the client can read.

    Any: an ASGI scope has no static type.

    Args:
        scope: the request.
        send: the ASGI callable.
        error: what is wrong.
        name: what the upstream is called.
        diagnosis: the path of the diagnosis page; None if it does not know of this upstream.
    """
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    accepts = first(scope["headers"], b"accept") or ""
    headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    if error.title == "starting":
        headers.append((b"retry-after", str(_RELOAD_S).encode()))
    if "text/html" in accepts and not _FOR_PROGRAMS.match(path):
        body = _page(error, language_of(scope), name=name, diagnosis=diagnosis).encode()
        headers += [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'self'"),
        ]
    else:
        message = error.cause if error.remedy is None else f"{error.cause}; {error.remedy}"
        content = {"error_code": error.error_code, "message": message}
        body = json.dumps(content, ensure_ascii=False).encode()
        headers.append((b"content-type", b"application/json"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _page(error: ErrorResponse, language: Language, *, name: str, diagnosis: str | None) -> str:
    labels = {key: texts[language] for key, texts in _LABELS.items()}
    parts = [f"<p><strong>{labels['cause']}:</strong> {html.escape(error.cause)}</p>"]
    if error.remedy:
        parts.append(f"<p><strong>{labels['remedy']}:</strong> {html.escape(error.remedy)}</p>")
    refresh = ""
    if error.title == "starting":
        refresh = f'<meta http-equiv="refresh" content="{_RELOAD_S}">\n'
        parts.append(f"<p>{labels['reload']}</p>")
    if diagnosis is not None:
        link = html.escape(diagnosis)
        parts.append(f'<p><a href="{link}">{labels["diagnosis"]}</a></p>')
    return _PAGE.format(
        language=language,
        refresh=refresh,
        title=html.escape(_TITLES[error.title][language].format(name=name)),
        body="\n".join(parts),
    )
