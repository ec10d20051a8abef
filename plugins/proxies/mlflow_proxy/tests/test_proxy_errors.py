"""What people and programs read when MLflow cannot answer."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from llmeval_mlflow_proxy.upstream import Unavailable, Upstream

from plugins.proxies.mlflow_proxy.tests.conftest import Proxying, serve_proxy
from plugins.proxies.mlflow_proxy.tests.raw_upstream import Exchange, plain

PAGE = {"Accept": "text/html,*/*;q=0.8"}


def look(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    except urllib.error.HTTPError as err:
        answer = err
    with answer:
        return answer.status, answer.read().decode(), dict(answer.headers)


@pytest.fixture
def dead() -> Upstream:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return Upstream(f"http://127.0.0.1:{port}", f"127.0.0.1:{port}", "Basic c2VjcmV0")


def test_a_dead_upstream_is_told_to_programs_in_mlflows_own_form(
    dead: Upstream, tmp_path: Path
) -> None:
    with serve_proxy(dead, tmp_path) as url:
        status, text, headers = look(f"{url}/api/2.0/mlflow/runs/get", **PAGE)

    assert (status, headers["content-type"]) == (502, "application/json")
    assert json.loads(text) == {
        "error_code": "TEMPORARILY_UNAVAILABLE",
        "message": f"MLflow at {dead.url}: connection refused; "
        "start MLflow, or correct its URL in the settings",
    }


def test_a_dead_upstream_is_told_to_people_with_cause_and_cure(
    dead: Upstream, tmp_path: Path
) -> None:
    with serve_proxy(dead, tmp_path) as url:
        status, page, headers = look(f"{url}/", **PAGE)
        japanese = look(f"{url}/", **PAGE, **{"Accept-Language": "ja,en;q=0.5"})[1]

    assert status == 502
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'self'"
    assert "<h1>MLflow does not answer</h1>" in page
    assert f"MLflow at {dead.url}: connection refused" in page
    assert "start MLflow, or correct its URL in the settings" in page
    assert '<a href="/debug-mlflow">' in page
    assert "<h1>MLflow が応答しません</h1>" in japanese
    assert "c2VjcmV0" not in page + japanese


def test_the_page_while_mlflow_starts_reloads_itself(tmp_path: Path) -> None:
    with serve_proxy(Unavailable("starting", "MLflow is starting"), tmp_path) as url:
        status, page, headers = look(f"{url}/", **PAGE)
        status_of_api, text, _ = look(f"{url}/api/2.0/mlflow/runs/get")

    assert (status, headers["retry-after"]) == (503, "2")
    assert '<meta http-equiv="refresh" content="2">' in page
    assert status_of_api == 503
    assert json.loads(text)["error_code"] == "TEMPORARILY_UNAVAILABLE"


def test_where_nothing_can_be_shown_the_page_says_why(tmp_path: Path) -> None:
    absence = Unavailable("none", "the kind '<b>' has no pages", "set a server's URL")
    with serve_proxy(absence, tmp_path) as url:
        status, page, _ = look(f"{url}/", **PAGE)

    assert status == 501
    assert "the kind &#x27;&lt;b&gt;&#x27; has no pages" in page
    assert "set a server&#x27;s URL" in page


async def test_a_proxy_that_is_its_own_upstream_says_so(tmp_path: Path) -> None:
    loop = Upstream("http://127.0.0.1:1", "x")
    with serve_proxy(loop, tmp_path) as url:
        status, text, _ = look(f"{url}/api/x", **{"X-Llmeval-Proxy": "/proxy-mlflow"})

    assert status == 508
    assert "point MLFLOW_TRACKING_URI to MLflow itself" in json.loads(text)["message"]


@pytest.mark.parametrize(
    "said",
    [b"", b"SSH-2.0-OpenSSH_9\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nbroken"],
)
async def test_an_upstream_that_speaks_nonsense_is_a_502(proxying: Proxying, said: bytes) -> None:
    async def nonsense(exchange: Exchange) -> None:
        await exchange.say(said)
        exchange.writer.close()

    async with proxying(nonsense) as proxied:
        answer = await proxied.ask("POST", "/api/2.0/x", data=b"1")

        assert answer.status == 502
        assert json.loads(answer.body)["error_code"] == "TEMPORARILY_UNAVAILABLE"


async def test_an_upstream_that_comes_back_is_used_at_once(proxying: Proxying) -> None:
    n_requests = 0

    async def closing_every_other(exchange: Exchange) -> None:
        nonlocal n_requests
        n_requests += 1
        await plain("Connection: close")(exchange)
        exchange.writer.close()

    async with proxying(closing_every_other) as proxied:
        for _ in range(5):
            assert (await proxied.ask("POST", "/x", data=b"1")).status == 200
        assert n_requests == 5
