"""What a user can set for any model behind HTTP: where it is, how it is asked, how long."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from llmeval_core.hooks import Settings
from llmeval_models.server_address import checked_address


def _as_text(value: Any) -> Any:  # Any: pydantic hands over what the file has
    """Take what YAML reads as a number or a date, such as 2024-06-01, for the text it is."""
    if isinstance(value, date | int | float) and not isinstance(value, bool):
        return str(value)
    return value


BaseUrl = Annotated[
    str, AfterValidator(checked_address), Field(json_schema_extra={"format": "uri"})
]
QueryText = Annotated[str, BeforeValidator(_as_text)]
UserPath = Annotated[Path, AfterValidator(Path.expanduser)]


class HttpSettings(Settings):
    """A server that is asked by HTTP."""

    model_config = ConfigDict(defer_build=True)  # there are many, and a run uses one or two

    base_url: BaseUrl = Field(description="Address of the API, up to and with its version.")
    api_key: SecretStr | None = Field(
        default=None, description="Sent as a bearer token; write ${NAME} to take it from outside."
    )
    api_key_header: str | None = Field(
        default=None,
        description="The header that carries the key as it is, such as `api-key`; "
        "`Authorization: Bearer` if left out, and `api-key` where the host is Azure's.",
    )
    headers: dict[str, SecretStr] = Field(default={}, description="More request headers.")
    query: dict[str, QueryText] = Field(
        default={}, description="Query parameters of each request, such as `api-version`."
    )
    extra_body: dict[str, Any] = Field(  # Any: whatever JSON the server takes
        default={}, description="More keys for the JSON of each request."
    )
    stream: bool = Field(
        default=False,
        description="Ask for streamed answers, for servers and proxies that give no others.",
    )
    max_answer_bytes: int = Field(
        default=64 * 2**20,
        ge=1024,
        description="Most bytes of one answer, decompressed; a longer one is a failed attempt.",
    )
    max_header_bytes: int = Field(
        default=64 * 2**10,
        ge=1024,
        description="Most bytes of the headers of one answer, and of a line between its chunks.",
    )
    max_concurrency: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Most requests at once to this server."
    )
    connect_timeout_s: float = Field(default=10.0, gt=0, description="Time to connect, seconds.")
    trust_env: bool = Field(
        default=False, description="Use the proxies that the environment names."
    )
    proxy: BaseUrl | None = Field(
        default=None,
        description="The proxy to go through; not to hosts that NO_PROXY names.",
    )
    ca_file: UserPath | None = Field(
        default=None,
        description="PEM file of the certificates to trust, and no others; the system's, "
        "SSL_CERT_FILE and REQUESTS_CA_BUNDLE if left out.",
    )
    client_cert: UserPath | None = Field(
        default=None, description="PEM file of our own certificate, for servers that want one."
    )
    client_key: UserPath | None = Field(
        default=None, description="PEM file of its key, if that is not in the same file."
    )
    verify: bool = Field(
        default=True, description="Whether the server's certificate is checked; false trusts all."
    )
    http: Literal["auto", "aiohttp", "asyncio"] = Field(
        default="auto",
        description="What carries the requests; asyncio: a client of llmeval's own that takes a "
        "quarter of the processor time; auto: asyncio for http:// without proxies, else aiohttp.",
    )

    @model_validator(mode="after")
    def _proxies_need_aiohttp(self) -> Self:
        if self.http == "asyncio" and (self.trust_env or self.proxy):
            name = "proxy" if self.proxy else "trust_env"
            raise ValueError(f"`http: asyncio` knows no proxies, and `{name}` asks for them")
        return self

    @model_validator(mode="after")
    def _a_key_needs_its_certificate(self) -> Self:
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("`client_key` is the key of a certificate: set `client_cert` too")
        return self
