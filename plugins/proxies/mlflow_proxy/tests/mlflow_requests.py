"""Asking MLflow's API by hand."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any


def said(content: object) -> bytes:
    """Write JSON."""
    return json.dumps(content).encode()


def ask(
    url: str, method: str, path: str, body: bytes | None = None, **more: str
) -> tuple[int, Any]:
    """Send a request and return status and JSON; Any: JSON."""
    headers = {"Content-Type": "application/json", **more}
    request = urllib.request.Request(url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as err:
        with err:
            return err.code, json.loads(err.read())
