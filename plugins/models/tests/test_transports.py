"""What both HTTP clients must do alike, against a server that is one function."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from llmeval_models.http.json_client import JsonClient
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.stream_chunks import StreamedResponse
from pydantic import SecretStr

from llmeval_core.hooks import ModelError

from .conftest import Http, ScriptedServer

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PATIENCE_S = 60


@asynccontextmanager
async def serving(
    talk: Talk, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Run a server that talks to each connection so; gives its port."""
    talks: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.append(task)
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            await talk(reader, writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(handle, host, 0, ssl=tls, backlog=2048)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in talks:
            each.cancel()
        await asyncio.gather(*talks)


async def read_request(reader: asyncio.StreamReader) -> str:
    """Read one request and return its head."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    await reader.readexactly(int(length.group(1)) if length else 0)
    return head


def answer(content: bytes = b'{"ok": 1}', *more: str, status: str = "200 OK") -> bytes:
    """Write an answer; `more`: header lines."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *more, "", ""]
    return "\r\n".join(lines).encode() + content


def always(said: bytes) -> Talk:
    """Answer each request of a connection with these bytes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(said)
            await writer.drain()

    return talk


def once(said: bytes) -> Talk:
    """Answer one request, then hang up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(said)
        await writer.drain()

    return talk


async def ask(url: str, http: Http, **settings: object) -> object:
    """Ask once, with a client of its own."""
    given = {"base_url": url, "http": http, **settings}
    client = JsonClient(OpenAICompatibleSettings.model_validate(given), streamed=StreamedResponse)
    try:
        return await client.post("/x", {"a": 1})
    finally:
        await client.aclose()


async def failure(url: str, http: Http, **settings: object) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(url, http, **settings)
    return caught.value


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200", id="half a head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", id="short of its length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", id="half a chunk"
        ),
        pytest.param(b"nonsense\r\n\r\n", id="no HTTP"),
        pytest.param(answer(b"abc", "Content-Encoding: gzip"), id="gzip that is none"),
    ],
)
async def test_less_than_a_whole_answer_is_a_broken_connection(http: Http, said: bytes) -> None:
    async with serving(once(said)) as port:
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind == "connection"
    assert error.what.startswith("no connection to the server: ")
    assert str(port) not in error.what.removeprefix("no connection to the server: ")[:-200]


async def test_compressed_answers_are_read(http: Http) -> None:
    said = answer(gzip.compress(b'{"ok": 2}'), "Content-Encoding: gzip")
    async with serving(always(said)) as port:
        found = await ask(f"http://127.0.0.1:{port}", http)

    assert found == {"ok": 2}


async def test_a_very_long_answer_is_read_whole(http: Http) -> None:
    text = "富士山" * 3_000_000
    said = answer(json.dumps({"text": text}, ensure_ascii=False).encode())
    async with serving(always(said)) as port:
        found = await ask(f"http://127.0.0.1:{port}", http)

    assert found == {"text": text}


async def test_headers_are_read_in_any_case_and_charset(http: Http) -> None:
    lines = ("retry-AFTER: 7", "X-Place: 富士", "Location: /x")
    async with serving(always(answer(b"", *lines, status="429 Slow"))) as port:
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert (error.kind, error.retry_after_s) == ("rate_limit", 7.0)


async def test_a_redirect_to_an_odd_place_is_still_a_redirect(http: Http) -> None:
    async with serving(always(answer(b"", "Location: /富士", status="302 Found"))) as port:
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind == "not_found"


async def test_a_connection_closed_while_idle_costs_at_most_one_try(http: Http) -> None:
    async with serving(once(answer())) as port:
        settings = OpenAICompatibleSettings(base_url=f"http://127.0.0.1:{port}", http=http)
        client = JsonClient(settings, streamed=StreamedResponse)
        n_answers, n_broken = 0, 0
        for _ in range(20):
            try:
                await client.post("/x", {})
                n_answers += 1
            except ModelError as err:
                n_broken += err.kind == "connection"
        await client.aclose()

    assert n_answers + n_broken == 20
    assert n_answers >= n_broken


async def test_no_cookie_is_kept_and_each_request_says_who_asks(http: Http) -> None:
    heads = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append((await read_request(reader)).lower())
            writer.write(answer(b"{}", "Set-Cookie: a=b; Path=/"))

    async with serving(talk) as port:
        client = JsonClient(
            OpenAICompatibleSettings(base_url=f"http://127.0.0.1:{port}", http=http),
            streamed=StreamedResponse,
        )
        await client.post("/x", {})
        await client.get("/x")
        await client.aclose()

    assert len(heads) == 2
    for head in heads:
        assert "cookie" not in head
        assert "\r\nuser-agent: llmeval/" in head
        assert head.count("content-type: application/json") == 1


async def test_a_header_of_the_user_s_wins(http: Http) -> None:
    heads = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_request(reader))
        writer.write(answer())

    async with serving(talk) as port:
        await ask(f"http://127.0.0.1:{port}", http, headers={"user-agent": "me/1"})

    assert re.findall(r"(?i)user-agent: (.*)\r", heads[0]) == ["me/1"]


async def test_ipv6(http: Http) -> None:
    async with serving(always(answer()), host="::1") as port:
        found = await ask(f"http://[::1]:{port}/v1", http)

    assert found == {"ok": 1}


async def test_a_thousand_at_once(http: Http) -> None:
    n_open, most = 0, 0
    everyone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal n_open, most
        await read_request(reader)
        n_open += 1
        most = max(most, n_open)
        if n_open == 1000:
            everyone.set()
        await everyone.wait()
        writer.write(answer())
        await writer.drain()

    async with serving(talk) as port, asyncio.timeout(PATIENCE_S):
        client = JsonClient(
            OpenAICompatibleSettings(base_url=f"http://127.0.0.1:{port}", http=http),
            streamed=StreamedResponse,
        )
        found = await asyncio.gather(*[client.post("/x", {"i": i}) for i in range(1000)])
        await client.aclose()

    assert found == [{"ok": 1}] * 1000
    assert most == 1000


async def test_a_cancelled_request_ends_at_the_server_and_the_next_one_works(http: Http) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if asked.is_set():
            writer.write(answer())
            await writer.drain()
            return
        asked.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        gone.set()

    async with serving(talk) as port, asyncio.timeout(PATIENCE_S):
        client = JsonClient(
            OpenAICompatibleSettings(base_url=f"http://127.0.0.1:{port}", http=http),
            streamed=StreamedResponse,
        )
        first = asyncio.create_task(client.post("/x", {}))
        await asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await gone.wait()

        found = await client.post("/x", {})

        await client.aclose()
    assert found == {"ok": 1}


async def test_connections_are_used_again(http: Http) -> None:
    n_connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal n_connections
        n_connections += 1
        while True:
            await read_request(reader)
            for piece in (
                b"HTTP/1.1 200 OK\r\nTransfer-",
                b"Encoding: chunked\r\n\r\n2\r\n{}\r\n0",
            ):
                writer.write(piece)
                await writer.drain()
            writer.write(b"\r\n\r\n")

    async with serving(talk) as port:
        client = JsonClient(
            OpenAICompatibleSettings(base_url=f"http://127.0.0.1:{port}", http=http),
            streamed=StreamedResponse,
        )
        found = [await client.post("/x", {}) for _ in range(10)]
        await client.aclose()

    assert found == [{}] * 10
    assert n_connections == 1


def test_each_run_can_have_a_loop_of_its_own(http: Http) -> None:
    async def main() -> object:
        async with serving(always(answer())) as port:
            return await ask(f"http://127.0.0.1:{port}", http)

    assert [asyncio.run(main()) for _ in range(3)] == [{"ok": 1}] * 3


async def test_a_proxy_is_used_only_if_wanted(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        serving(always(answer(b'{"by": "proxy"}'))) as proxy,
        serving(always(answer(b'{"by": "server"}'))) as port,
    ):
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "elsewhere.example")
        url = f"http://127.0.0.1:{port}"

        by_default = await ask(url, http)
        by_wish = await ask(url, "aiohttp", trust_env=True)

    assert by_default == {"by": "server"}
    assert by_wish == {"by": "proxy"}


async def test_an_unknown_certificate_is_refused(http: Http, tmp_path: Path) -> None:
    async with serving(always(answer()), tls=certified(tmp_path)) as port:
        error = await failure(f"https://127.0.0.1:{port}", http)

    assert error.kind == "connection"
    assert error.what.startswith("no connection to the server: invalid certificate: ")


async def test_a_certificate_of_an_authority_that_the_environment_names(
    http: Http, tmp_path: Path
) -> None:
    code = """
        import asyncio, sys
        from llmeval_models.http.json_client import JsonClient
        from llmeval_models.model_settings import OpenAICompatibleSettings
        from llmeval_models.openai.stream_chunks import StreamedResponse

        async def main():
            settings = OpenAICompatibleSettings(base_url=sys.argv[1], http=sys.argv[2])
            client = JsonClient(settings, streamed=StreamedResponse)
            print(await client.post("/x", {}))
            await client.aclose()

        asyncio.run(main())
    """
    async with serving(always(answer()), tls=certified(tmp_path)) as port:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", dedent(code), f"https://127.0.0.1:{port}", http),
            env=os.environ | {"SSL_CERT_FILE": str(tmp_path / "authority.crt")},
            stdout=subprocess.PIPE,
        )
        said, _ = await child.communicate()

    assert said.decode() == "{'ok': 1}\n"


async def test_tls_with_a_server_that_has_none(http: Http) -> None:
    async with serving(tls_refused) as port:
        error = await failure(f"https://127.0.0.1:{port}", http)

    assert error.kind == "connection"


@pytest.mark.parametrize("key", ["sk-1\nX-Other: 2", "ｓｋ-1"])
async def test_a_key_that_http_cannot_carry_is_told_without_it(
    server: ScriptedServer, key: str
) -> None:
    with pytest.raises(ModelError) as caught:
        JsonClient(
            OpenAICompatibleSettings(base_url=server.base_url, http=server.http),
            streamed=StreamedResponse,
            key=SecretStr(key),
        )

    assert caught.value.kind == "auth"
    assert str(caught.value) == (
        "the header 'Authorization' has characters that HTTP does not carry\n"
        "  try:   printable ASCII only; is it copied right?"
    )


async def test_an_address_with_no_good_host(http: Http) -> None:
    error = await failure("http://exa%mple/v1", http)

    assert error.kind == "connection"


async def tls_refused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a greeting of TLS in plain HTTP."""
    await reader.read(1)
    writer.write(answer(status="400 Bad Request"))
    await writer.drain()


def certified(folder: Path) -> ssl.SSLContext:
    """Make an authority, and a certificate of it for 127.0.0.1."""
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    new = "req -newkey rsa:2048 -nodes"
    for command in (
        f"{new} -x509 -keyout authority.key -out authority.crt -days 2 -subj /CN=authority",
        f"{new} -keyout server.key -out server.csr -subj /CN=server",
        "x509 -req -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 "
        "-extfile names -out server.crt",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context
