"""Addresses as users write them: checked before anything connects."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_EXAMPLE = "http://HOST:PORT/v1"
_WITH_SCHEME = re.compile(r"(https?)://(.*)", re.IGNORECASE | re.DOTALL)
_OTHER_BEGINNING = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:(?://|/(?=\D)|(?=[^\d/]))|/+)")


def checked_address(text: str) -> str:
    """Return an address without spaces around it, and its scheme in small letters.

    What an error repeats of the text has no login and no query: these can be secret.

    Raises:
        ValueError: it has no scheme, no host, a space in it, or no such port can be.
    """
    text = text.strip()
    if re.search(r"\s", text):
        raise ValueError("an address has no space in it")
    found = _WITH_SCHEME.fullmatch(text)
    if found is None:
        host = re.split(r"[?#]", _OTHER_BEGINNING.sub("", text, count=1))[0].rpartition("@")[2]
        example = f"http://{host}" if host else _EXAMPLE
        raise ValueError(f"an address begins with http:// or https://, such as {example}")
    address = f"{found[1].lower()}://{found[2]}"
    if not _split(address).hostname:
        raise ValueError(f"an address names a host, such as {_EXAMPLE}")
    return address


def _split(address: str) -> SplitResult:
    """Split an address that begins as one.

    Raises:
        ValueError: its host or its port is none.
    """
    try:
        parts = urlsplit(address)
    except ValueError as err:
        raise ValueError("its host cannot be read; IPv6 is written http://[::1]:PORT/v1") from err
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("a port is a number from 1 to 65535")
    return parts
