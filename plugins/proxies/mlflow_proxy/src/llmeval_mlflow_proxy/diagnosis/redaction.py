"""Removes secrets from lines that others wrote."""

from __future__ import annotations

import re
from collections.abc import Collection

_LOGIN = re.compile(r"(?<=://)[^/\s@'\"]+@")
_HEADER = re.compile(
    r"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?|bearer\s+|basic\s+)[\w.~+/=:-]+( [\w.~+/=-]+)?"
)
_HOST_NAME = re.compile(r"\b[0-9a-f]{32}\.localhost\b")  # of the embedded server; a secret
_SHORTEST = 4  # a shorter secret would occur inside many words


def redacted(line: str, secrets: Collection[str]) -> str:
    """Return a line without the known secrets, logins in URLs and login headers."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            line = line.replace(secret, "***")
    line = _HOST_NAME.sub("***.localhost", line)
    return _HEADER.sub(r"\1***", _LOGIN.sub("***@", line))
