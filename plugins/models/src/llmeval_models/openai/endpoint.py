"""Where requests go: the address, its query, and what others read of it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from pydantic import SecretStr, TypeAdapter, ValidationError

from llmeval_core.hooks import ConfigError
from llmeval_models.model_settings import (
    BaseUrl,
    OpenAICompatibleSettings,
    OpenAISettings,
    ReasoningAs,
)

_SECRET_NAME = re.compile(r"(?i)key|token|secret|password|signature|\bsig\b|\bcode\b")
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_REASONING_BY_HOST: tuple[tuple[str, ReasoningAs], ...] = (
    ("openrouter.ai", "openrouter"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("aiplatform.googleapis.com", "gemini"),
    ("anthropic.com", "anthropic"),
    ("aliyuncs.com", "qwen"),
    ("siliconflow.com", "qwen"),
    ("siliconflow.cn", "qwen"),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of an API.

    Attributes:
        url: as given, with a login if there is one.
        base: without login and query.
        query: with its question mark; empty if there is none.
        place: what tells one server from another: host, port, path, and the query without secrets.
        secrets: what in the query must not be seen.
    """

    url: SplitResult
    base: str
    query: str
    place: str
    secrets: tuple[str, ...]

    def at(self, path: str, *, at_root: bool = False) -> str:
        """Return the URL of a path such as `/chat/completions`; the query stays at its end.

        Args:
            path: what follows the base URL.
            at_root: whether it follows the server's root (no /v1) instead.
        """
        return (self.base.removesuffix("/v1") if at_root else self.base) + path + self.query


def endpoint_of(settings: OpenAICompatibleSettings) -> Endpoint:
    """Read `base_url` and `query`; what `query` says goes before what the address says."""
    url = urlsplit(settings.base_url)
    pairs = parse_qsl(url.query, keep_blank_values=True)
    pairs = [(name, value) for name, value in pairs if name not in settings.query]
    pairs += settings.query.items()
    known = [(name, value) for name, value in pairs if not _SECRET_NAME.search(name)]
    bare = url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="")
    place = f"{url.hostname}:{url.port or ''}{url.path.rstrip('/')}"
    return Endpoint(
        url=url,
        base=bare.geturl().rstrip("/"),
        query=f"?{urlencode(pairs)}" if pairs else "",
        place=f"{place}?{urlencode(sorted(known))}" if known else place,
        secrets=tuple(value for name, value in pairs if value and _SECRET_NAME.search(name)),
    )


def key_header(settings: OpenAICompatibleSettings) -> str:
    """Tell in which header a key goes; Azure has one of its own."""
    host = urlsplit(settings.base_url).hostname or ""
    return settings.api_key_header or ("api-key" if host.endswith(_AZURE) else "Authorization")


def reasoning_as(settings: OpenAICompatibleSettings) -> ReasoningAs:
    """Tell in whose words `reasoning` is written: as set, else by the host, else OpenAI's."""
    if settings.reasoning_as != "auto":
        return settings.reasoning_as
    host = urlsplit(settings.base_url).hostname or ""
    for name, found in _REASONING_BY_HOST:
        if host == name or host.endswith(f".{name}"):
            return found
    return "openai"


def from_environment(settings: OpenAISettings) -> OpenAISettings:
    """Fill in what OpenAI's own client reads from the environment; what is set goes first.

    Raises:
        ConfigError: OPENAI_BASE_URL is no address.
    """
    environ, update = os.environ, dict[str, object]()
    base_url = environ.get("OPENAI_BASE_URL", "").strip()
    if base_url and "base_url" not in settings.model_fields_set:
        try:
            update["base_url"] = TypeAdapter(BaseUrl).validate_python(base_url)
        except ValidationError as err:
            reason = err.errors()[0]["msg"].removeprefix("Value error, ")
            raise ConfigError(
                f"OPENAI_BASE_URL is no address: {reason}",
                hint="set it right, or set `base_url`",
            ) from err
    sent = {name.lower() for name in settings.headers}
    headers = dict(settings.headers)
    for header, given, variable in (
        ("OpenAI-Organization", settings.organization, "OPENAI_ORG_ID"),
        ("OpenAI-Project", settings.project, "OPENAI_PROJECT_ID"),
    ):
        value = given or environ.get(variable, "").strip()
        if value and header.lower() not in sent:
            headers[header] = SecretStr(value)
    update["headers"] = headers
    return settings.model_copy(update=update)
