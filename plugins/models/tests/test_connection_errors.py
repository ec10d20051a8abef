"""TLS, proxies, and why there is no connection: the hint names the cause."""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from llmeval_models.http.connection_errors import connection_error
from llmeval_models.http.endpoint import endpoint_of
from llmeval_models.http.json_client import JsonClient
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from llmeval_models.openai.stream_chunks import StreamedResponse
from pydantic import ValidationError

from llmeval_core.hooks import ConfigError, ModelError

from .conftest import Http

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CA_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
TLS_HINT = "this server speaks no TLS: write http:// in base_url"
HTTPS_HINT = "this port speaks TLS: write https:// in base_url"
CA_HINT = (
    "name the certificates to trust with `ca_file`, or the variable SSL_CERT_FILE; "
    "`verify: false` trusts anybody"
)
WANTED_HINT = "does the server want a certificate of yours? client_cert, client_key"


@pytest.fixture(autouse=True)
def _a_plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, *CA_VARIABLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an authority, and two certificates of it: for 127.0.0.1 and for a client."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "server.names").write_text("subjectAltName=IP:127.0.0.1\n")
    (folder / "client.names").write_text("subjectAltName=DNS:client.example\n")
    new = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    commands = [f"{new} -x509 -keyout ca.key -out ca.crt -days 2 -subj /CN=authority"]
    for name in ("server", "client"):
        commands += [
            f"{new} -keyout {name}.key -out {name}.csr -subj /CN={name}",
            f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
            f"-extfile {name}.names -out {name}.crt",
        ]
    for command in commands:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    both = (folder / "client.crt").read_text() + (folder / "client.key").read_text()
    (folder / "both.pem").write_text(both)
    return folder


def context_of(certificates: Path, name: str = "server", *, wants_ours: bool = False) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.crt", certificates / f"{name}.key")
    if wants_ours:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates / "ca.crt")
    return context


@asynccontextmanager
async def answering(
    tls: ssl.SSLContext | None = None, *, by: str = "server"
) -> AsyncIterator[tuple[int, list[str]]]:
    """Answer every request with who answered; give the port, and the first lines that came."""
    asked: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                asked.append(head.split(b"\r\n")[0].decode())
                if b"content-length" in head.lower():
                    await reader.readuntil(b"}")
                body = b'{"by": "%s"}' % by.encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


@asynccontextmanager
async def saying(said: bytes) -> AsyncIterator[int]:
    """Say this to whatever comes; give the port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def ask(base_url: str, http: Http, **settings: Any) -> Any:
    client = JsonClient(
        OpenAICompatibleSettings(base_url=base_url, http=http, **settings),
        streamed=StreamedResponse,
    )
    try:
        return await client.post("/x", {})
    finally:
        await client.aclose()


async def failure(base_url: str, http: Http, **settings: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(base_url, http, **settings)
    return caught.value


Change = Callable[[Path, pytest.MonkeyPatch], dict[str, Any]]


def as_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"ca_file": folder / "ca.crt"}


def in_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("HOME", str(folder))
    return {"ca_file": "~/ca.crt"}


def by_variable(name: str) -> Change:
    def change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        monkeypatch.setenv(name, str(folder / "ca.crt"))
        return {}

    return change


def unchecked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"verify": False}


@pytest.mark.parametrize(
    "change",
    [
        as_setting,
        in_the_home_folder,
        by_variable("SSL_CERT_FILE"),
        by_variable("REQUESTS_CA_BUNDLE"),
        by_variable("CURL_CA_BUNDLE"),
        unchecked,
    ],
)
async def test_an_authority_of_ones_own_is_trusted_where_it_is_named(
    change: Change, http: Http, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = change(certificates, monkeypatch)

    async with answering(context_of(certificates)) as (port, _):
        answer = await ask(f"https://127.0.0.1:{port}", http, **settings)

    assert answer == {"by": "server"}


@pytest.mark.parametrize(
    "files",
    [{"client_cert": "client.crt", "client_key": "client.key"}, {"client_cert": "both.pem"}],
)
async def test_a_server_that_wants_our_certificate_gets_it(
    files: dict[str, str], http: Http, certificates: Path
) -> None:
    paths = {name: certificates / file for name, file in files.items()}
    ca = {"ca_file": certificates / "ca.crt"}

    async with answering(context_of(certificates, wants_ours=True)) as (port, _):
        answer = await ask(f"https://127.0.0.1:{port}", http, **ca, **paths)

    assert answer == {"by": "server"}


async def test_the_cause_of_a_failed_handshake_is_named(http: Http, certificates: Path) -> None:
    ca = {"ca_file": certificates / "ca.crt"}

    async with (
        saying(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as plain,
        saying(b"\x15\x03\x01\x00\x02\x02\x46") as alerting,
        answering(context_of(certificates)) as (tls, _),
        answering(context_of(certificates, "client")) as (other, _),
    ):
        no_tls = await failure(f"https://127.0.0.1:{plain}", http)
        alert = await failure(f"http://127.0.0.1:{alerting}", http)
        only_tls = await failure(f"http://127.0.0.1:{tls}", http)
        unknown = await failure(f"https://127.0.0.1:{tls}", http)
        of_another = await failure(f"https://127.0.0.1:{other}", http, **ca)
    errors = (no_tls, alert, only_tls, unknown, of_another)
    assert {error.kind for error in errors} == {"connection"}
    assert no_tls.hint == TLS_HINT
    assert alert.hint == HTTPS_HINT
    assert only_tls.hint == "it hung up: if this port speaks TLS, write https:// in base_url"
    assert unknown.hint == CA_HINT
    assert of_another.hint == "the certificate is of another host: is base_url right?"


async def test_a_name_that_nobody_knows_is_named(http: Http) -> None:
    error = await failure("http://no-such-host.invalid/v1", http)

    assert error.what.startswith(
        "no connection to the server: the name 'no-such-host.invalid' is not known: "
    )
    assert error.hint == "is the host in base_url right, and does the name server answer?"


@pytest.mark.parametrize(
    ("base_url", "reason", "hint"),
    [
        (
            "http://a/v1",
            os.strerror(errno.EMFILE),
            "raise the limit of open files (`ulimit -n 4096`), or lower max_concurrency",
        ),
        ("http://a/v1", "Connection refused", "is it running, and is base_url right?"),
        ("http://a:443/v1", "Connection reset by peer", HTTPS_HINT),
        (
            "https://a/v1",
            "invalid certificate: certificate has expired",
            "renew the server's certificate; is the clock right?",
        ),
        ("https://a/v1", "invalid certificate: self-signed certificate", CA_HINT),
        ("https://a/v1", "TLS: TLSV13_ALERT_CERTIFICATE_REQUIRED", WANTED_HINT),
    ],
)
def test_a_reason_has_its_hint(base_url: str, reason: str, hint: str) -> None:
    settings = OpenAICompatibleSettings(base_url=base_url)

    error = connection_error(reason, settings, endpoint_of(settings))

    assert error.hint == hint


async def test_a_proxy_of_the_environment_that_is_not_used_is_named(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    settings = OpenAICompatibleSettings(base_url="https://api.example/v1", http=http)
    endpoint = endpoint_of(settings)

    error = connection_error("Connection refused", settings, endpoint)
    monkeypatch.setenv("NO_PROXY", "api.example")
    bypassed = connection_error("Connection refused", settings, endpoint)

    assert error.hint == (
        "is it running, and is base_url right? HTTPS_PROXY names a proxy: `trust_env: true` uses it"
    )
    assert bypassed.hint == "is it running, and is base_url right?"


async def test_a_proxy_is_used_but_for_what_no_proxy_names(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering() as (direct, _), answering(by="proxy") as (proxy, asked):
        url, through = f"http://127.0.0.1:{direct}/v1", f"http://u:p@127.0.0.1:{proxy}"
        by_proxy = await ask(url, "auto", proxy=through)  # type: ignore[arg-type]
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        bypassed = await ask(url, "auto", proxy=through)  # type: ignore[arg-type]

    assert (by_proxy, bypassed) == ({"by": "proxy"}, {"by": "server"})
    assert asked == [f"POST {url}/x HTTP/1.1"]


async def test_the_password_of_a_proxy_is_in_no_message() -> None:
    async with answering() as (port, _):
        pass
    proxy = f"http://u:pass-word@127.0.0.1:{port}"

    error = await failure("http://a.example/v1", "auto", proxy=proxy)  # type: ignore[arg-type]

    assert error.kind == "connection"
    assert "pass-word" not in str(error)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"http": "asyncio", "proxy": "http://a:1"},
            "`http: asyncio` knows no proxies, and `proxy`",
        ),
        ({"client_key": "a.key"}, "set `client_cert` too"),
        (
            {"proxy": "socks5://a:1"},
            "an address begins with http:// or https://, such as http://a:1",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        OpenAICompatibleSettings(**settings)


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(**settings: Any) -> str:
        with pytest.raises(ConfigError) as caught:
            OpenAICompatibleProvider(OpenAICompatibleSettings(**settings)).describe("m")
        return str(caught.value)

    missing = tmp_path / "none.pem"

    assert told(ca_file=missing) == (
        f"ca_file: there is no file '{missing}'\n  try:   name a file that exists"
    )
    assert "client_cert: there is no file" in told(client_cert=missing)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(missing))
    OpenAICompatibleProvider(OpenAICompatibleSettings(base_url="http://a/v1")).describe("m")
    assert told(base_url="https://a/v1") == (
        f"REQUESTS_CA_BUNDLE names '{missing}', which does not exist\n"
        "  try:   set it to a file of certificates, or unset it"
    )


async def test_a_file_without_certificates_is_told(http: Http, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")

    with pytest.raises(ConfigError, match="has no certificates: "):
        await ask("https://127.0.0.1:9", http, ca_file=file)
