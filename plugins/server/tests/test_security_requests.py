"""What a request may be: origin, size, rate, what a proxy says of it; and our own headers."""

from __future__ import annotations

import asyncio
import io
import threading
from typing import Any

import aiohttp
import pytest
from llmeval_server.security.rate_limit import WindowCounter
from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_core.hooks import ConfigError, LlmevalError, Route, RouteContext
from plugins.server.tests.api_fixtures import Serve
from plugins.server.tests.live_server import LiveServer, run_file
from plugins.server.tests.server_processes import wait_until
from plugins.server.tests.test_security_access import ECHO, TOKEN, status


async def answer(url: str, method: str = "GET", **options: Any) -> tuple[int, Any, Any]:
    """Return status, JSON and headers; Any: of the answer."""
    async with aiohttp.ClientSession() as client, client.request(method, url, **options) as got:
        return got.status, await got.json(), got.headers


async def test_foreign_pages_cannot_change_anything(serve: Serve) -> None:
    server = serve(routes=[ECHO])

    for headers, expected in (
        ({"Origin": server.url}, 201),
        ({"Origin": "http://evil.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": server.url.replace("http:", "https:")}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": server.url}, 403),
        ({}, 201),
    ):
        got = await status(
            f"{server.url}/api/v1/jobs", "POST", json={"run": run_file()}, headers=headers
        )
        assert got == expected, headers
    evil = {"Origin": "http://evil.com"}
    assert await status(f"{server.url}/upstream/x", "POST", headers=evil) == 403
    assert await status(f"{server.url}/upstream/x", "DELETE", headers=evil) == 403
    assert await status(f"{server.url}/upstream/x", headers=evil) == 200


async def test_a_cookie_alone_changes_nothing(serve: Serve) -> None:
    server = serve(token=TOKEN)
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            f"{server.url}/login", data={"token": TOKEN}, allow_redirects=False
        ) as response,
    ):
        cookie = {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}
    url = f"{server.url}/api/v1/jobs"

    assert await status(url, headers=cookie) == 200
    assert await status(url, "POST", json={"run": run_file()}, headers=cookie) == 403
    ours = {**cookie, "Origin": server.url}
    assert await status(url, "POST", json={"run": run_file()}, headers=ours) == 201


async def test_a_request_that_is_too_large_is_refused_unless_it_is_for_a_plugin(
    serve: Serve,
) -> None:
    server = serve(max_request_bytes=10_000, routes=[ECHO])
    url = f"{server.url}/api/v1/jobs"
    large = b"x" * 10_001

    async def in_parts() -> Any:
        for _ in range(20):
            yield b"x" * 1000

    code, body, _ = await answer(url, "POST", data=large)
    parts, _, _ = await answer(url, "POST", data=in_parts())
    upstream, echoed, _ = await answer(
        f"{server.url}/upstream/x", "POST", data=io.BytesIO(bytes(5_000_000))
    )

    assert (code, parts, upstream) == (413, 413, 200)
    assert body["error"]["what"] == "the request is larger than 10,000 bytes"
    assert echoed["size"] == 5_000_000


async def test_a_client_that_asks_too_often_must_wait(serve: Serve) -> None:
    server = serve(requests_per_minute=5, routes=[ECHO])

    statuses = [await status(f"{server.url}/api/v1/jobs") for _ in range(7)]
    code, body, headers = await answer(f"{server.url}/api/v1/jobs")
    free = [await status(f"{server.url}/upstream/x") for _ in range(7)]

    assert statuses == [200] * 5 + [429] * 2
    assert (code, body["error"]["what"]) == (429, "too many requests")
    assert 0 < int(headers["Retry-After"]) <= 60
    assert free == [200] * 7


def test_a_counter_forgets_after_a_minute() -> None:
    now = 100.0
    counter = WindowCounter(2, now=lambda: now)
    counter.add("a")
    counter.add("a")

    waits = [counter.wait_s("a"), counter.wait_s("b")]
    now += 59.5
    waits.append(counter.wait_s("a"))
    now += 1
    waits.append(counter.wait_s("a"))

    assert waits == [60, 0, 1, 0]


async def test_what_a_stranger_says_of_itself_is_not_believed(serve: Serve) -> None:
    server = serve(routes=[ECHO])
    claims = {
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Host": "evil.com",
        "Forwarded": "for=1.2.3.4",
        "X-Real-IP": "1.2.3.4",
    }

    _, echoed, _ = await answer(f"{server.url}/upstream/x", headers=claims)

    assert (echoed["client"], echoed["scheme"]) == ("127.0.0.1", "http")
    assert echoed["root_path"] == "/upstream"
    assert not [name for name, _ in echoed["headers"] if "forwarded" in name or "real" in name]


async def test_a_trusted_proxy_is_believed(serve: Serve) -> None:
    server = serve(
        routes=[ECHO], trusted_proxies=("127.0.0.0/8",), allowed_hosts=("eval.example.com",)
    )
    claims = {
        "X-Forwarded-For": "6.6.6.6, 1.2.3.4, 127.0.0.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/eval",
        "X-Forwarded-Host": "eval.example.com",
    }

    _, echoed, _ = await answer(f"{server.url}/upstream/x%20y", headers=claims)

    assert (echoed["client"], echoed["scheme"]) == ("1.2.3.4", "https")
    assert (echoed["root_path"], echoed["path"]) == ("/eval/upstream", "/eval/upstream/x y")
    assert echoed["raw_path"] == "/eval/upstream/x%20y"
    assert dict(echoed["headers"])["host"] == "eval.example.com"


async def test_behind_https_the_cookie_is_secure_and_links_have_the_prefix(serve: Serve) -> None:
    server = serve(token=TOKEN, trusted_proxies=("127.0.0.1",), root_path="/eval")
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            f"{server.url}/eval/login",
            data={"token": TOKEN, "next": "/leaderboard"},
            headers={"X-Forwarded-Proto": "https"},
            allow_redirects=False,
        ) as response,
    ):
        cookie = response.headers["Set-Cookie"]
    right = {"Authorization": f"Bearer {TOKEN}"}
    stripped, document, _ = await answer(f"{server.url}/api/openapi.json", headers=right)
    whole = await status(f"{server.url}/eval/api/openapi.json", headers=right)

    assert response.headers["Location"] == "/eval/leaderboard"
    assert "; Path=/eval; " in cookie
    assert cookie.endswith("; Secure")
    assert (stripped, whole) == (200, 200)
    assert document["servers"] == [{"url": "/eval"}]


def test_a_proxy_that_is_no_address_is_told(serve: Serve) -> None:
    with pytest.raises(ConfigError, match="'nginx' is no address of a reverse proxy"):
        serve(trusted_proxies=("nginx",))


async def test_answers_of_ours_say_how_little_they_may_do_and_a_plugins_say_what_they_like(
    serve: Serve,
) -> None:
    server = serve(routes=[ECHO])
    ours = [f"{server.url}{path}" for path in ("/", "/healthz", "/nothing", "/api/docs")]
    async with aiohttp.ClientSession() as client:
        for url in ours:
            async with client.get(url, headers={"Accept": "text/html"}) as response:
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'self'" in policy
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
        async with client.get(f"{server.url}/upstream/") as response:
            assert "Content-Security-Policy" not in response.headers


# --- routes of plugins


class Lively:
    """An application with a lifespan that can be slow or fail."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.may_start = threading.Event()
        self.said: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            assert scope["state"]["ready"]
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})
            return
        self.said.append((await receive())["type"])
        if self.fails == "startup":
            await send({"type": "lifespan.startup.failed", "message": "no database"})
            return
        if self.fails:
            raise RuntimeError(self.fails)
        await asyncio.to_thread(self.may_start.wait)
        scope["state"]["ready"] = True
        await send({"type": "lifespan.startup.complete"})
        self.said.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})


def route(prefix: str, app: ASGIApp) -> Route:
    return Route(prefix, lambda site: app, "lively", prefix[1:].title())


def breaking(site: RouteContext) -> ASGIApp:
    raise LlmevalError("cannot be made")


async def test_a_route_that_starts_slowly_or_breaks_stops_no_other(serve: Serve) -> None:
    slow, failing, buggy = Lively(), Lively("startup"), Lively("a bug")
    server = serve(
        routes=[
            route("/slow", slow),
            route("/failing", failing),
            route("/buggy", buggy),
            Route("/unmade", breaking, "cannot be made"),
        ]
    )

    early, body, headers = await answer(f"{server.url}/slow/")
    slow.may_start.set()
    await asyncio.to_thread(wait_until, lambda: _is_up(server, "/slow/"), "the slow route")
    broken = [await answer(f"{server.url}{path}") for path in ("/failing/", "/buggy/", "/unmade")]

    assert (early, body["error"]["what"]) == (503, "Slow is starting")
    assert headers["Retry-After"] == "2"
    assert [one[0] for one in broken] == [503, 503, 503]
    assert broken[0][1]["error"]["what"] == "Failing could not be started"
    assert await status(f"{server.url}/healthz") == 200
    server.__exit__()
    assert slow.said == ["lifespan.startup", "lifespan.shutdown"]


def _is_up(server: LiveServer, path: str) -> bool:
    return asyncio.run(status(f"{server.url}{path}")) == 200


async def test_a_websocket_gets_past_no_guard(serve: Serve) -> None:
    server = serve(routes=[ECHO])
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(f"{server.url}/upstream/socket")
