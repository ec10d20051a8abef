"""Who gets in: hosts, tokens, logins; and that no secret of ours gets out."""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_core.hooks import Route, RouteContext
from plugins.server.tests.api_fixtures import Serve
from plugins.server.tests.live_server import run_file

TOKEN = "correct-horse-battery-staple"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def echoing(site: RouteContext) -> ASGIApp:
    """Answer with what came in."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            body = {
                "headers": [[name, value] for name, value in request.headers.items()],
                "path": scope["path"],
                "raw_path": scope["raw_path"].decode(),
                "root_path": scope["root_path"],
                "client": scope["client"][0],
                "scheme": scope["scheme"],
                "size": len(await request.body()),
            }
            await JSONResponse(body)(scope, receive, send)
        else:
            raise NotImplementedError("no lifespan")

    return app


ECHO = Route("/upstream", echoing, "echoes", "Upstream")


async def status(url: str, method: str = "GET", **options: Any) -> int:
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, url, allow_redirects=False, **options) as response,
    ):
        await response.read()
        return response.status


async def test_only_names_of_ours_are_answered(serve: Serve) -> None:
    server = serve(allowed_hosts=("eval.example.com", "*.lan"))

    for host, expected in {
        "127.0.0.1": 200,
        "localhost:9999": 200,
        "[::1]:8001": 200,
        "192.168.1.7": 200,
        "eval.example.com": 200,
        "EVAL.example.com:443": 200,
        "a.lan": 200,
        "evil.com": 403,
        "127.0.0.1.evil.com": 403,
        "eval.example.com.evil.com": 403,
        "lan": 403,
        "": 403,
    }.items():
        assert await status(f"{server.url}/healthz", headers={"Host": host}) == expected, host


async def test_the_token_is_asked_of_everything_but_health_login_and_static_files(
    serve: Serve,
) -> None:
    server = serve(token=TOKEN, routes=[ECHO])

    for path, expected in {
        "/healthz": 200,
        "/readyz": 503,
        "/login": 200,
        "/static/nothing": 404,
        "/api/v1/jobs": 401,
        "/api/openapi.json": 401,
        "/api/docs": 401,
        "/metrics": 401,
        "/upstream/x": 401,
        "/": 401,
        "/nothing": 401,
        "/static/../api/v1/jobs": 401,
        "//api/v1/jobs": 401,
    }.items():
        assert await status(f"{server.url}{path}") == expected, path


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"X-Llmeval-Token": TOKEN}, 200),
        ({"Authorization": "Basic " + base64.b64encode(f"me:{TOKEN}".encode()).decode()}, 200),
    ],
)
async def test_the_token_opens_in_every_form_that_clients_know(
    serve: Serve, headers: dict[str, str], expected: int
) -> None:
    server = serve(token=TOKEN)

    assert await status(f"{server.url}/api/v1/jobs", headers=headers) == expected


async def test_what_is_not_the_token_does_not_open(serve: Serve) -> None:
    server = serve(token=TOKEN)

    for value in ("Bearer x", f"Bearer {TOKEN}x", "Bearer", f"Digest {TOKEN}", "Basic !!", "é"):
        headers = {"Authorization": value}
        assert await status(f"{server.url}/api/v1/jobs", headers=headers) == 401
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{server.url}/api/v1/jobs") as response,
    ):
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="llmeval"'
        assert (await response.json())["error"]["what"] == "this server needs its token"


async def test_a_browser_is_sent_to_the_login_and_back(serve: Serve) -> None:
    server = serve(token=TOKEN)
    page = {"Accept": "text/html"}
    async with aiohttp.ClientSession(
        server.url, cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as client:
        async with client.get("/leaderboard?x=1", headers=page, allow_redirects=False) as answer:
            login = answer.headers["Location"]
        async with client.post(
            "/login", data={"token": "no", "next": "/leaderboard"}, allow_redirects=False
        ) as wrong:
            pass
        async with client.post(
            "/login", data={"token": TOKEN, "next": "/leaderboard?x=1"}, allow_redirects=False
        ) as right:
            cookie = right.headers["Set-Cookie"]
        async with client.get("/api/v1/jobs") as inside:
            pass
        origin = {"Origin": server.url}
        async with client.post("/logout", headers=origin, allow_redirects=False) as left:
            pass
        value = cookie.partition(";")[0]
        async with client.get("/api/v1/jobs", headers={"Cookie": value}) as after:
            pass

    assert login == "/login?next=/leaderboard%3Fx%3D1"
    assert (wrong.status, wrong.headers["Location"]) == (
        303, "/login?failed=1&next=/leaderboard",
    )  # fmt: skip
    assert "Set-Cookie" not in wrong.headers
    assert (right.status, right.headers["Location"]) == (303, "/leaderboard?x=1")
    assert cookie.endswith("; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax")
    assert TOKEN not in cookie
    assert (inside.status, left.status, after.status) == (200, 303, 401)


async def test_a_login_leads_to_no_other_site(serve: Serve) -> None:
    server = serve(token=TOKEN)

    for wanted in ("//evil.com", "https://evil.com", "/\\evil.com", "evil", "/a\r\nX: y", ""):
        async with (
            aiohttp.ClientSession() as client,
            client.post(
                f"{server.url}/login",
                data={"token": TOKEN, "next": wanted},
                allow_redirects=False,
            ) as response,
        ):
            assert response.headers["Location"] == "/", wanted


async def test_a_forged_cookie_is_none(serve: Serve) -> None:
    server = serve(token=TOKEN)
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            f"{server.url}/login", data={"token": TOKEN}, allow_redirects=False
        ) as response,
    ):
        name, _, value = response.headers["Set-Cookie"].partition(";")[0].partition("=")
    until, nonce, signature = value.split(".")

    for forged in (
        f"9{until}.{nonce}.{signature}",
        f"{until}.x.{signature}",
        f"{until}.{nonce}.",
        f"{until}.{nonce}",
        "",
        "é",
        '"',
    ):
        headers = {"Cookie": f"{name}={forged}"}
        assert await status(f"{server.url}/api/v1/jobs", headers=headers) == 401, forged
    headers = {"Cookie": f"other=1; {name}={value}"}
    assert await status(f"{server.url}/api/v1/jobs", headers=headers) == 200


async def test_who_guesses_tokens_must_wait_even_with_the_right_one(serve: Serve) -> None:
    server = serve(token=TOKEN)

    guesses = [
        await status(f"{server.url}/login", "POST", data={"token": f"guess {n}"}) for n in range(10)
    ]
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{server.url}/login", data={"token": TOKEN}) as response,
    ):
        wait_s = int(response.headers["Retry-After"])
    right = {"Authorization": f"Bearer {TOKEN}"}

    assert guesses == [303] * 10
    assert response.status == 429
    assert 0 < wait_s <= 60
    assert await status(f"{server.url}/api/v1/jobs", headers=right) == 429


async def test_a_plugin_route_gets_none_of_our_secrets(serve: Serve) -> None:
    server = serve(token=TOKEN, routes=[ECHO])
    async with aiohttp.ClientSession(
        server.url, cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as client:
        async with client.get(
            "/upstream/a%2Fb?q=1",
            headers={"Authorization": f"Bearer {TOKEN}", "Cookie": "theirs=1"},
        ) as response:
            by_token = await response.json()
        async with client.get("/upstream", headers={"X-Llmeval-Token": TOKEN}) as response:
            bare = await response.json()
        async with client.post("/login", data={"token": TOKEN}, allow_redirects=False) as response:
            cookie = response.headers["Set-Cookie"].partition(";")[0]
        async with client.get(
            "/upstream/", headers={"Cookie": f"{cookie}; a=b", "Authorization": "Basic dTpw"}
        ) as response:
            by_cookie = await response.json()

    assert TOKEN not in str([by_token, bare, by_cookie])
    assert dict(by_token["headers"])["cookie"] == "theirs=1"
    assert "authorization" not in dict(by_token["headers"])
    assert by_token["raw_path"] == "/upstream/a%2Fb"
    assert (bare["path"], bare["root_path"]) == ("/upstream", "/upstream")
    assert dict(by_cookie["headers"])["cookie"] == "a=b"
    assert dict(by_cookie["headers"])["authorization"] == "Basic dTpw"  # the upstream's own


async def test_the_token_is_in_no_answer_and_in_no_log(
    serve: Serve, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(token=TOKEN, routes=[ECHO])
    right = {"Authorization": f"Bearer {TOKEN}"}
    said = []
    async with aiohttp.ClientSession(server.url, headers={"Origin": server.url}) as client:
        for path in ("/api/v1/jobs", "/", "/metrics", "/api/openapi.json", "/start"):
            for headers in (right, {**right, "Accept": "text/html"}, {}):
                async with client.get(path, headers=headers) as response:
                    said.append(await response.text())
        for run in (
            run_file(models=[TOKEN]),
            run_file(models=[f"{TOKEN}/x"]),
            run_file(models=[{"name": "openai/x", "api_key": TOKEN}]),
            run_file(tasks=[{"dataset": f"jsonl:{TOKEN}"}]),
            run_file(tasks=[{"dataset": TOKEN}]),
        ):
            async with client.post("/api/v1/jobs", json={"run": run}, headers=right) as response:
                assert response.status in (403, 422)
                said.append(await response.text())
        async with client.post("/login", data={"token": f"{TOKEN}x"}) as response:
            said.append(await response.text())
    written = [path.read_bytes() for path in server.home.rglob("*") if path.is_file()]

    assert TOKEN not in "".join(said)
    records = [record for record in caplog.records if record.name != "uvicorn.access"]
    assert not [record for record in records if TOKEN in record.getMessage()]
    assert not [content for content in written if TOKEN.encode() in content]
