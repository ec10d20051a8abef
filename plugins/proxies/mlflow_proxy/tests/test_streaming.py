"""Bodies flow through in both directions; nothing is held back, nothing outlives its client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from plugins.proxies.mlflow_proxy.tests.conftest import Proxying
from plugins.proxies.mlflow_proxy.tests.raw_upstream import Exchange, plain
from plugins.proxies.mlflow_proxy.tests.route_server import MAX_WAIT_S

MIB = 1 << 20
MOST_HELD = 24 * MIB  # the sockets' own buffers on four ends, and ours


async def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + MAX_WAIT_S
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def settled(read: Callable[[], int]) -> int:
    """Wait until a number has stood still for a while; return it."""
    seen, since = read(), time.monotonic()
    while time.monotonic() - since < 1:
        await asyncio.sleep(0.05)
        if read() != seen:
            seen, since = read(), time.monotonic()
    return seen


async def test_a_slow_reader_holds_up_the_upstream_instead_of_filling_memory(
    proxying: Proxying,
) -> None:
    n_said = 0

    async def endless(exchange: Exchange) -> None:
        nonlocal n_said
        await exchange.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while n_said < 1_000_000_000:
            await exchange.say(bytes(MIB))
            n_said += MIB

    async with proxying(endless) as proxied:
        answer = await proxied.session.get(f"{proxied.url}/big")
        await answer.content.readexactly(1000)

        assert await settled(lambda: n_said) < MOST_HELD
        answer.close()
        await until(lambda: proxied.upstream.n_closed_by_proxy == 1)


async def test_a_slow_upstream_holds_up_an_upload_instead_of_filling_memory(
    proxying: Proxying,
) -> None:
    n_sent = 0
    go_on = asyncio.Event()

    async def lazy(exchange: Exchange) -> None:
        await go_on.wait()
        await plain()(exchange)

    async def upload() -> AsyncIterator[bytes]:
        nonlocal n_sent
        for _ in range(100):
            yield bytes(MIB)
            n_sent += MIB

    async with proxying(lazy) as proxied:
        sending = asyncio.create_task(
            proxied.ask("PUT", "/up", data=upload(), headers={"Content-Length": str(100 * MIB)})
        )
        await until(lambda: n_sent > 0)

        assert await settled(lambda: n_sent) < MOST_HELD
        go_on.set()
        assert (await sending).status == 200
        assert n_sent == 100 * MIB


@pytest.mark.parametrize("is_sized", [True, False], ids=["length", "chunked"])
async def test_an_upload_arrives_whole(proxying: Proxying, is_sized: bool) -> None:
    whole = bytes(range(256)) * 4096
    got = b""

    async def keep(exchange: Exchange) -> None:
        nonlocal got
        got = await exchange.body()
        await exchange.say(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), 10_000):
            yield whole[start : start + 10_000]

    async with proxying(keep) as proxied:
        data = whole if is_sized else pieces()
        answer = await proxied.ask("PUT", "/x", data=data)

        assert answer.status == 201
        assert got == whole


async def test_the_first_event_comes_at_once_and_leaving_closes_the_upstream(
    proxying: Proxying,
) -> None:
    is_closed = asyncio.Event()

    async def events(exchange: Exchange) -> None:
        await exchange.say(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nd\r\ndata: first\n\n\r\n"
        )
        assert await exchange.reader.read() == b""
        is_closed.set()

    async with proxying(events) as proxied:
        headers = {"Accept-Encoding": "gzip"}
        answer = await proxied.session.get(f"{proxied.url}/stream", headers=headers)
        first = await asyncio.wait_for(answer.content.readuntil(b"\n\n"), MAX_WAIT_S)

        assert first == b"data: first\n\n"
        assert "Content-Encoding" not in answer.headers
        answer.close()
        await asyncio.wait_for(is_closed.wait(), MAX_WAIT_S)


async def test_a_client_that_gives_up_waiting_closes_the_upstream(proxying: Proxying) -> None:
    has_come, is_closed = asyncio.Event(), asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        has_come.set()
        await exchange.reader.read()
        is_closed.set()

    async with proxying(silent) as proxied:
        waiting = asyncio.create_task(proxied.session.get(f"{proxied.url}/slow"))
        await asyncio.wait_for(has_come.wait(), MAX_WAIT_S)
        waiting.cancel()

        await asyncio.wait_for(is_closed.wait(), MAX_WAIT_S)


async def test_a_client_that_leaves_in_the_middle_of_an_upload_closes_the_upstream(
    proxying: Proxying,
) -> None:
    has_come, is_closed = asyncio.Event(), asyncio.Event()

    async def reading(exchange: Exchange) -> None:
        has_come.set()
        while await exchange.reader.read(MIB):
            pass
        is_closed.set()

    async def stuck() -> AsyncIterator[bytes]:
        yield bytes(1000)
        await asyncio.Event().wait()

    async with proxying(reading) as proxied:
        sending = asyncio.create_task(proxied.session.put(f"{proxied.url}/up", data=stuck()))
        await asyncio.wait_for(has_come.wait(), MAX_WAIT_S)
        sending.cancel()

        await asyncio.wait_for(is_closed.wait(), MAX_WAIT_S)


async def test_an_answer_that_breaks_off_is_seen_to_be_cut(proxying: Proxying) -> None:
    async def breaking(exchange: Exchange) -> None:
        await exchange.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart")
        exchange.writer.close()

    async with proxying(breaking) as proxied:
        answer = await proxied.session.get(f"{proxied.url}/x")

        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_an_upstream_that_answers_before_the_upload_ends_is_heard(
    proxying: Proxying,
) -> None:
    async def refusing(exchange: Exchange) -> None:
        await exchange.say(
            b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"
        )

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(1000)
        await asyncio.Event().wait()

    async with proxying(refusing) as proxied:
        answer = await proxied.ask("PUT", "/up", data=endless())

        assert (answer.status, answer.body) == (413, b"no!")
