"""The headers of each request: what the user set, a login, and what llmeval says of itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from llmeval_core.hooks import ModelError, __version__
from llmeval_models.http.endpoint import Endpoint, key_header
from llmeval_models.http.http_settings import HttpSettings

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")
_LOGINS = ("authorization", "api-key", "x-api-key", "x-goog-api-key")
_OWN = {
    "Accept": "*/*",
    "Content-Type": "application/json",
    "User-Agent": f"llmeval/{__version__}",
}


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """What goes with each request.

    Attributes:
        sent: by name.
        secrets: what must not be seen in a message.
    """

    sent: Mapping[str, str]
    secrets: tuple[str, ...]


def make_headers(
    settings: HttpSettings,
    *,
    endpoint: Endpoint,
    key: SecretStr | None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> RequestHeaders:
    """Collect the headers; a key goes before a login in the address.

    Args:
        settings: the headers that the user set.
        endpoint: the address with its login.
        key: None for none.
        more: what the maker's API wants, unless the user set it; no secrets.

    Raises:
        ModelError: a header cannot be sent.
    """
    given = {name: secret.get_secret_value() for name, secret in settings.headers.items()}
    secrets = [*[value for value in given.values() if value], *endpoint.secrets]
    url, proxy = endpoint.url, urlsplit(settings.proxy or "")
    password = unquote(url.password or "")
    if key is not None and (value := key.get_secret_value().strip()):
        name = key_header(settings)
        given[name] = f"Bearer {value}" if name.lower() == "authorization" else value
        secrets.append(value)
    elif url.username is not None:
        login = base64.b64encode(f"{unquote(url.username)}:{password}".encode()).decode()
        given["Authorization"] = f"Basic {login}"
        secrets.append(login)
    secrets += [text for text in (password, unquote(proxy.password or "")) if text]
    _check(given)
    names = {name.lower() for name in given}
    own = {name: text for name, text in {**_OWN, **more}.items() if name.lower() not in names}
    return RequestHeaders(own | given, tuple(secrets))


def _check(headers: Mapping[str, str]) -> None:
    """Refuse what HTTP cannot carry, such as a key with a line break or a full-width letter."""
    for name, value in headers.items():
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise ModelError(
                "auth" if name.lower() in _LOGINS else "bad_request",
                f"the header {name!r} has characters that HTTP does not carry",
                hint="printable ASCII only; is it copied right?",
            )
